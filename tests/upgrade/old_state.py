"""State created by the old code: a database, a spool, keys, a signed bundle, a Bento, and its responses about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx2 import Client, Response

from tests.support.serving import Server
from tests.upgrade.checkout import OldCode
from tests.upgrade.database import Database

TENANT = "acme"
SCOPES = ("understand", "answer", "history:read", "analytics:read", "feedback", "admin", "metrics:read")
QUESTION = "Where is my parcel? It should have come on Monday."
TEXTS = (
    QUESTION,
    "I want my money back for order 48213-7765, write to maria.lindqvist@example.org.",
    "My card 4111 1111 1111 1111 was charged twice!",
    "Mein Paket ist nicht da. Wo bleibt es?",
)
PERSONAL = ("48213-7765", "maria.lindqvist", "4111 1111 1111 1111")
TABLES = ("queries", "customer_history", "feedback", "erasures", "idempotency")
VOLATILE_FIELDS = ("query_id", "timings_ms", "stored")
TOKEN_TTL_S = 3600


@dataclass(frozen=True, slots=True)
class OldState:
    """The home of the old code, and the values that the new code must return.

    Args:
        answers: the JSON of GET /v1/queries/{id}, by id.
        listed: the rows of GET /v1/queries, by id.
        keyed: body and response of requests, by their Idempotency-Key.
        spooled: texts of the rows in the spool, by the id of their query.
        erased: the id of a query whose customer was erased.
        events: ids of the events in the outbox.
        rows: number of rows by table.
        keys: SHA-256 of each key file, by its name.
        understood: the response of /v1/understand to `QUESTION`.
        bento: tag of the Bento.
    """

    database: Database
    token: str
    bundle: str
    answers: Mapping[str, str]
    listed: Mapping[str, Mapping[str, Any]]
    keyed: Mapping[str, tuple[str, str]]
    spooled: Mapping[str, str]
    erased: str
    events: frozenset[str]
    rows: Mapping[str, int]
    keys: Mapping[str, str]
    understood: Mapping[str, Any]
    bento: str

    @property
    def home(self) -> Path:
        return self.database.home


def create_old_state(code: OldCode, database: Database, bento: str) -> OldState:
    """Fill a home and its database with the old code. The home's promoted bundle is in `bento`."""
    home, settings = database.home, {**database.settings, "outbox__sinks": ["file"]}
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    with code.server(home, **settings):  # makes tables and keys
        pass
    token = code.run(home, "token", "--tenant", TENANT, "--ttl-s", str(TOKEN_TTL_S), *scopes, **settings).strip()
    with database.block_outbox(), code.server(home, **settings) as server, client_of(server, token) as client:
        keyed = {f"key-{number}": _post(client, text, f"key-{number}") for number, text in enumerate(TEXTS)}
        ids = [json.loads(response)["query_id"] for _, response in keyed.values()]
        for query_id in ids[:2]:
            feedback = {"intent": "get_refund", "reply": "edited", "satisfaction": 2}
            require_ok(client.post(f"/v1/queries/{query_id}/feedback", json=feedback))
        erased = json.loads(_post(client, "Forget me.", "key-erased", customer="to-be-erased")[1])["query_id"]
        require_ok(client.delete("/v1/customers/to-be-erased"))
        answers = {query_id: require_ok(client.get(f"/v1/queries/{query_id}")).text for query_id in ids}
        listed = rows_by_id(client)
        understood = stable_fields(
            require_ok(client.post("/v1/understand", json={"text": QUESTION, "store": False})).json()
        )
        bundle = require_ok(client.get("/v1/admin/models")).json()["serving"]
        events = frozenset(map(str, database.column("SELECT event_id FROM outbox")))
        rows = count_rows(database)
        with database.block_writes():
            spooled = {_spool(client, text): text for text in TEXTS}
            server.__exit__(None, None, None)  # while the rows cannot leave the spool
    keys = key_hashes(home)
    return OldState(
        database, token, bundle, answers, listed, keyed, spooled, erased, events, rows, keys, understood, bento
    )


def client_of(server: Server, token: str) -> Client:
    """A client with this token. The caller closes it."""
    return Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=30.0)


def require_ok(response: Response) -> Response:
    """Return the response.

    Raises:
        RuntimeError: its status is not 200.
    """
    if response.status_code != 200:
        raise RuntimeError(
            f"{response.request.method} {response.url.path}: {response.status_code} {response.text[:300]}"
        )
    return response


def rows_by_id(client: Client) -> dict[str, dict[str, Any]]:
    """The rows of GET /v1/queries by id."""
    page = require_ok(client.get("/v1/queries?limit=100")).json()
    (rows,) = (value for value in page.values() if isinstance(value, list))
    return {row.get("query_id") or row["id"]: row for row in rows}


def stable_fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an answer that are equal in two answers to the same message."""
    return {name: value for name, value in answer.items() if name not in VOLATILE_FIELDS}


def count_rows(database: Database) -> dict[str, int]:
    return {table: int(str(database.column(f"SELECT count(*) FROM {table}")[0])) for table in TABLES}


def key_hashes(home: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted((home / "keys").iterdir())}


def _post(client: Client, text: str, key: str, customer: str = "customer-7") -> tuple[str, str]:
    """The body and the response of a request with an Idempotency-Key."""
    body = json.dumps({"text": text, "customer_id": customer, "session_id": "session-1", "channel": "email"})
    headers = {"content-type": "application/json", "idempotency-key": key}
    return body, require_ok(client.post("/v1/queries", content=body, headers=headers)).text


def _spool(client: Client, text: str) -> str:
    answer = require_ok(client.post("/v1/queries", json={"text": text, "customer_id": "customer-8"})).json()
    if answer["stored"] != "spooled":
        raise RuntimeError(f"the old code did not spool an answer: {answer['stored']}")
    return str(answer["query_id"])
