"""Checks that the current code opens the state of the old code, one for each compatibility guarantee."""

# ruff: noqa: T201 - part of a program that prints

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx2 import Client

from frontdesk.masking import MASKING_VERSION
from tests.support.serving import Server, frontdesk
from tests.upgrade.checkout import OldCode
from tests.upgrade.old_state import (
    PERSONAL,
    QUESTION,
    OldState,
    client_of,
    count_rows,
    key_hashes,
    require_ok,
    rows_by_id,
    stable_fields,
)

PATIENCE_S = 30.0
BUILD_TIMEOUT_S = 300.0
PROJECT = Path(__file__).resolve().parents[2]
MIGRATIONS = Path("frontdesk/storage/migrations/versions")
SERVES_OLD_BUNDLE = "the old bundle is served and answers the same"


@dataclass(frozen=True, slots=True)
class Check:
    """A guarantee and why it does not hold; `problem` is empty if it holds."""

    name: str
    problem: str


class Broken(Exception):
    """A guarantee does not hold."""


Promise = Callable[[OldState, Client], None]


def run_checks(code: OldCode, state: OldState) -> Iterator[Check]:
    """All checks, in an order in which later ones see the database as earlier ones left it.

    A bundle that was trained with another masking version is refused; then a new one is trained and served instead.
    """
    settings = {**state.database.settings, "outbox__sinks": ["file"]}
    promises = dict(PROMISES)
    is_bundle_usable = _has_current_masking(state)
    if not is_bundle_usable:
        del promises[SERVES_OLD_BUNDLE]
        yield _checked("the old bundle is refused in one line", lambda: _refuses_bundle(state, settings))
        yield _checked(
            "a new bundle can be trained in the old home",
            lambda: _command(state.home, settings, "train", "--profile", "tiny", "--promote"),
        )
    try:
        with Server(state.home, **settings) as server, client_of(server, state.token) as client:  # type: ignore[arg-type]
            yield Check("the new code starts on the old home", "")
            for name, promise in promises.items():
                yield _checked(name, lambda promise=promise: promise(state, client))  # type: ignore[misc]
    except (AssertionError, RuntimeError) as error:
        yield Check("the new code starts on the old home", _short(error))
        return
    yield _checked("every encrypted value opens (keys reseal)", lambda: _reseal(state, settings))
    yield _checked("the audit log is intact (audit verify)", lambda: _command(state.home, settings, "audit", "verify"))
    yield _checked("the bundle can be packed (build)", lambda: _command(state.home, settings, "build"))
    if _has_newer_schema(code):
        print("  left out: the old code cannot run on the upgraded database, which has a newer schema", flush=True)
        return
    yield _checked("the old code still runs on the upgraded database", lambda: _old_code_reads(code, state, settings))
    yield _checked("the old Bento is served on the upgraded database", lambda: _old_bento_reads(state, settings))


def _reads(state: OldState, client: Client) -> None:
    for query_id, expected in state.answers.items():
        actual = require_ok(client.get(f"/v1/queries/{query_id}")).text
        answer, added, _ = actual.partition(',"masked_message":')  # a field that later releases add at the end
        same = f"{answer}}}" if added else actual
        _expect(same == expected, f"{query_id} is {actual[:200]}, was {expected[:200]}")


def _lists(state: OldState, client: Client) -> None:
    actual = rows_by_id(client)
    for query_id, row in state.listed.items():
        _expect(actual.get(query_id) == row, f"{query_id} is {actual.get(query_id)}, was {row}")


def _drains(state: OldState, client: Client) -> None:
    _wait(lambda: require_ok(client.get("/readyz")).json()["spool_waiting"] == 0, "the spool is drained")
    _expect(require_ok(client.get("/readyz")).json()["spool_refused"] == 0, "the database refused spooled rows")
    rows_found = rows_by_id(client)
    masked = {
        request_body["text"]: _text(rows_found[json.loads(response)["query_id"]])
        for request_body, response in _keyed(state)
    }
    for query_id, text in state.spooled.items():
        require_ok(client.get(f"/v1/queries/{query_id}"))
        _expect(query_id in rows_found, f"the spooled query {query_id} is not listed")
        _expect(_text(rows_found[query_id]) == masked[text], f"{query_id} is {_text(rows_found[query_id])!r}")
    rows = count_rows(state.database)
    _expect(rows["queries"] == state.rows["queries"] + len(state.spooled), f"{rows} rows, were {state.rows}")


def _keyed(state: OldState) -> Iterator[tuple[dict[str, Any], str]]:
    for body, response in state.keyed.values():
        yield json.loads(body), response


def _text(row: dict[str, Any]) -> str:
    return str(row.get("query_text") or row.get("text"))


def _masks(state: OldState, client: Client) -> None:
    listed = json.dumps(rows_by_id(client))
    leaked = [value for value in PERSONAL if value in listed]
    _expect(not leaked, f"the list of queries shows {leaked}")


def _replays(state: OldState, client: Client) -> None:
    for key, (body, response) in state.keyed.items():
        headers = {"content-type": "application/json", "idempotency-key": key}
        replay = client.post("/v1/queries", content=body, headers=headers)
        is_replayed = replay.headers.get("idempotency-replayed") == "true"
        _expect(is_replayed and replay.text == response, f"{key}: {replay.status_code} {replay.text[:200]}")


def _forgets(state: OldState, client: Client) -> None:
    status = client.get(f"/v1/queries/{state.erased}").status_code
    _expect(status == 404, f"the erased query answers {status}")


def _delivers(state: OldState, client: Client) -> None:
    file = state.home / "events.jsonl"
    _expect(bool(state.events), "the old code left no event in the outbox")

    def delivered() -> set[str]:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return {json.loads(line)["event_id"] for line in lines}

    _wait(lambda: state.events | set(state.spooled) <= delivered(), "all events are delivered")


def _keeps_rows(state: OldState, client: Client) -> None:
    rows = count_rows(state.database)
    for table in ("feedback", "erasures"):
        _expect(rows[table] == state.rows[table] > 0, f"{table} has {rows[table]} rows, had {state.rows[table]}")


def _serves_bundle(state: OldState, client: Client) -> None:
    serving = require_ok(client.get("/v1/admin/models")).json()["serving"]
    _expect(serving == state.bundle, f"{serving} is served, not {state.bundle}")
    actual = stable_fields(require_ok(client.post("/v1/understand", json={"text": QUESTION, "store": False})).json())
    _expect(actual == state.understood, f"the answer is {actual}, was {state.understood}")


def _keeps_keys(state: OldState, client: Client) -> None:
    hashes = key_hashes(state.home)
    changed = [name for name, digest in state.keys.items() if hashes.get(name) != digest]
    _expect(not changed, f"{', '.join(changed)} changed")


def _has_newer_schema(code: OldCode) -> bool:
    old, new = ({path.name for path in (root / MIGRATIONS).glob("[0-9]*.py")} for root in (code.folder, PROJECT))
    return bool(new - old)


def _has_current_masking(state: OldState) -> bool:
    manifest = json.loads((state.home / "bundles" / state.bundle / "manifest.json").read_text(encoding="utf-8"))
    return bool(manifest["masking_version"] == MASKING_VERSION)


def _refuses_bundle(state: OldState, settings: dict[str, object]) -> None:
    completed = frontdesk(state.home, "serve", timeout_s=BUILD_TIMEOUT_S, **settings)  # type: ignore[arg-type]
    output = completed.stdout + completed.stderr
    is_clear = completed.returncode != 0 and "frontdesk train" in output and "Traceback" not in output
    _expect(is_clear, f"frontdesk serve: {output[-500:]}")


PROMISES: dict[str, Promise] = {
    "a token of the old key is accepted, old answers read the same": _reads,
    "lists show the same rows": _lists,
    "the spool is drained into the database, masked as before": _drains,
    "no personal data is shown": _masks,
    "answers under old Idempotency-Keys are replayed": _replays,
    "an erased query stays erased": _forgets,
    "events of the old outbox and of the spool are delivered": _delivers,
    "feedback and erasures are kept": _keeps_rows,
    SERVES_OLD_BUNDLE: _serves_bundle,
    "key files are unchanged": _keeps_keys,
}


def _reseal(state: OldState, settings: dict[str, object]) -> None:
    """With a new key every value has to be opened and sealed again."""
    _command(state.home, settings, "keys", "rotate", "--sealing")
    output = _command(state.home, settings, "keys", "reseal")
    count = int(output.split()[0])
    least = 2 * (state.rows["queries"] - 1 + len(state.spooled))  # a message and a reply each, but for the erased one
    _expect(
        "could not be decrypted" not in output and count >= least, f"at least {least} values were expected: {output}"
    )


def _command(home: Path, settings: dict[str, object], *arguments: str) -> str:
    completed = frontdesk(home, *arguments, timeout_s=BUILD_TIMEOUT_S, **settings)  # type: ignore[arg-type]
    _expect(completed.returncode == 0, f"frontdesk {' '.join(arguments)}: {completed.stdout}{completed.stderr}")
    return completed.stdout


def _old_code_reads(code: OldCode, state: OldState, settings: dict[str, object]) -> None:
    with code.server(state.home, **settings) as server, client_of(server, state.token) as client:
        _reads(state, client)


def _old_bento_reads(state: OldState, settings: dict[str, object]) -> None:
    """Served by its tag from another folder, with its own code."""
    variables = {"BENTOML_HOME": str(state.home / "bentoml"), "PYTHONPATH": ""}
    command = ("-m", "bentoml", "serve", state.bento)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(state.home, command=command, cwd=Path(folder), variables=variables, **settings) as server,  # type: ignore[arg-type]
        client_of(server, state.token) as client,
    ):
        _reads(state, client)


def _checked(name: str, work: Callable[[], object]) -> Check:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the other checks go on
        return Check(name, _short(error))
    return Check(name, "")


def _expect(holds: bool, problem: str) -> None:
    if not holds:
        raise Broken(problem)


def _wait(condition: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        _expect(time.monotonic() < give_up, f"timed out before {what}")
        time.sleep(0.1)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace(os.linesep, " ")[:1000]
