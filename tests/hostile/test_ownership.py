"""Every route and RPC, every role, two tenants: no access without the scope, and none to data of another tenant.

The cells come from the route table of the server (`bentos/admission/routes.py`), so new routes are covered
automatically. `make hostile` prints the results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx2
import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from sqlalchemy import Engine, insert
from tritonclient.grpc import service_pb2

from bentos.admission.routes import ROUTES, Route
from bentos.grpc import frontdesk_pb2 as pb
from frontdesk.security.token_keys import load_signing_key
from frontdesk.security.tokens import SCOPES
from frontdesk.storage.database import open_database
from frontdesk.storage.tables import feedback, outbox, queries
from tests.hostile.ownership import MARK, OWNER, STRANGER, Cell, format_table, letter_of, query_of, routes, rpcs
from tests.support.forged_tokens import Forger
from tests.support.serving import Server
from tests.support.stored_rows import insert_queries

TEXT = "Where is my parcel?"
CODES = {
    200: StatusCode.OK,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
}
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [TEXT]}
BODIES: dict[str, Any] = {
    "/v1/understand/batch": {"queries": [{"text": TEXT, "store": False}]},
    "/v1/queries/{query_id}/feedback": {"satisfaction": 5},
    "/v1/admin/tokens/revoke": {"jti": "of no token that is used here"},
    "/v2/repository/index": {},
}
MESSAGES: dict[str, Message] = {
    "UnderstandBatch": pb.BatchRequest(queries=[pb.Query(text=TEXT, store=False)]),
    "ModelReady": service_pb2.ModelReadyRequest(name="ensemble"),
    "ModelMetadata": service_pb2.ModelMetadataRequest(name="ensemble"),
    "ModelConfig": service_pb2.ModelConfigRequest(name="ensemble"),
    "Check": health_pb2.HealthCheckRequest(),
    "List": health_pb2.HealthListRequest(),
    "Watch": health_pb2.HealthCheckRequest(),
    "ServerReflectionInfo": reflection_pb2.ServerReflectionRequest(list_services=""),
    "ModelInfer": service_pb2.ModelInferRequest(
        model_name="ensemble",
        inputs=[
            service_pb2.ModelInferRequest.InferInputTensor(
                name="text",
                datatype="BYTES",
                shape=[1],
                contents=service_pb2.InferTensorContents(bytes_contents=[TEXT.encode()]),
            )
        ],
    ),
}
QUERY = pb.Query(text=TEXT, store=False)


@pytest.fixture(scope="module")
def engine(server: Server) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{server.home / 'frontdesk.db'}")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def cells(server: Server, engine: Engine) -> list[Cell]:
    """All cells over HTTP; their targets are in the database."""
    with server.client() as client:
        version = client.get("/v2/models/ensemble").json()["versions"][0]
    all_cells = routes({"model": "ensemble", "version": version})
    owned = [cell for cell in all_cells if cell.names_something_owned]
    insert_queries(engine, [query_of(cell) for cell in owned], with_history=True)
    with engine.begin() as connection:
        connection.execute(insert(outbox), [letter_of(cell) for cell in owned])
    return all_cells


@pytest.fixture(scope="module")
def answers(server: Server, cells: list[Cell]) -> list[tuple[Cell, httpx2.Response]]:
    with httpx2.Client(base_url=server.url, timeout=30.0) as client:
        return [(cell, ask(client, server, cell)) for cell in cells]


def authorization(server: Server, cell: Cell) -> dict[str, str]:
    return {} if cell.scopes is None else {"authorization": f"Bearer {token(server, cell)}"}


def token(server: Server, cell: Cell) -> str:
    """A token of an issuer with arbitrary scopes; `frontdesk token` would refuse some of them."""
    assert cell.scopes is not None
    return Forger(load_signing_key(server.home / "keys"), int(time.time())).with_claims(
        tenant=cell.tenant, scope=" ".join(sorted(cell.scopes))
    )


def ask(client: httpx2.Client, server: Server, cell: Cell) -> httpx2.Response:
    assert isinstance(cell.entry, Route)
    (method,) = cell.entry.methods
    body: Any = None
    if method == "POST":
        infers = cell.entry.template.endswith("/infer")
        usual = {"inputs": [TENSOR]} if infers else {"text": TEXT, "store": False}
        body = {} if "outbox" in cell.entry.template else BODIES.get(cell.entry.template, usual)
    return client.request(method, cell.path, json=body, headers=authorization(server, cell))


def test_every_answer_is_the_one_that_the_scopes_ask_for(answers: list[tuple[Cell, httpx2.Response]]) -> None:
    sys.stdout.write(f"{format_table([(cell, response.status_code) for cell, response in answers])}\n")
    wrong = [
        (cell.path, cell.role.name, cell.tenant, response.status_code, cell.expected)
        for cell, response in answers
        if response.status_code != cell.expected
    ]
    assert wrong == []
    assert len(answers) == 2 * (len(SCOPES) + 4) * len(ROUTES)


def test_a_refusal_names_the_scope_that_lacks(answers: list[tuple[Cell, httpx2.Response]]) -> None:
    refused = [(cell, response) for cell, response in answers if response.status_code == 403]
    assert refused
    assert [cell.path for cell, response in refused if f"the scope {cell.entry.scope}." not in response.text] == []


def test_the_stranger_is_shown_nothing_of_the_owner(answers: list[tuple[Cell, httpx2.Response]]) -> None:
    leaks = [
        (cell.path, cell.role.name) for cell, response in answers if cell.tenant == STRANGER and MARK in response.text
    ]
    assert leaks == []
    marked = {cell.entry.template for cell, response in answers if cell.tenant == OWNER and MARK in response.text}
    assert {"/v1/queries", "/v1/queries/export", "/v1/admin/outbox"} <= marked  # the owner sees it
    counted = [
        response.json()["figures"]["queries"]
        for cell, response in answers
        if cell.path == "/v1/analytics/summary" and cell.tenant == STRANGER and cell.granted
    ]
    assert set(counted) == {0}


def test_only_who_was_granted_it_changed_anything(engine: Engine, answers: list[tuple[Cell, httpx2.Response]]) -> None:
    with engine.connect() as connection:
        customers = dict(
            connection.execute(queries.select().with_only_columns(queries.c.id, queries.c.customer_id)).all()
        )
        dead = {row.event_id for row in connection.execute(outbox.select().where(outbox.c.is_dead))}
        judged = {row.query_id for row in connection.execute(feedback.select().where(feedback.c.tenant == OWNER))}
        strange = connection.execute(feedback.select().where(feedback.c.tenant == STRANGER)).all()
    changed = {
        (cell.entry.template, cell.role.name, cell.tenant)
        for cell, _ in answers
        if cell.names_something_owned
        and (
            customers[cell.target["query_id"]] is None
            or cell.target["event_id"] not in dead
            or cell.target["query_id"] in judged
        )
    }
    writing = ("/feedback", "/retry", "/drop")
    meant = {
        (cell.entry.template, cell.role.name, OWNER)
        for cell, _ in answers
        if cell.tenant == OWNER
        and cell.granted
        and isinstance(cell.entry, Route)
        and (cell.erases or cell.entry.template.endswith(writing))
    }
    assert changed == meant
    assert strange == []


def over_grpc(channel: grpc.Channel, server: Server, cell: Cell) -> tuple[StatusCode, bytes]:
    """The status code and the first message."""
    name = cell.path.rpartition("/")[2]
    content = MESSAGES.get(name, QUERY if cell.path.startswith("/frontdesk.v1.") else pb.Query()).SerializeToString()
    metadata = tuple(authorization(server, cell).items())
    call = channel.stream_stream(cell.path)(iter([content]), metadata=metadata, timeout=30.0)
    try:
        first: bytes = next(call)
    except grpc.RpcError as refused:
        code: StatusCode = refused.code()
        return code, b""
    call.cancel()
    return StatusCode.OK, first


def test_every_rpc_answers_as_the_scopes_ask_for(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_address) as channel:
        answers = [(cell, *over_grpc(channel, server, cell)) for cell in rpcs()]
    http_status = {code: status for status, code in CODES.items()} | {StatusCode.UNIMPLEMENTED: 501}
    sys.stdout.write(f"{format_table([(cell, http_status.get(code, code.name)) for cell, code, _ in answers])}\n")
    wrong = [
        (cell.path, cell.role.name, cell.tenant, code) for cell, code, _ in answers if code is not CODES[cell.expected]
    ]
    assert wrong == []
    assert [cell.path for cell, _, first in answers if MARK.encode() in first] == []


def test_an_idempotency_key_of_one_tenant_brings_another_nothing(server: Server) -> None:
    body = {"text": f"{MARK} words", "customer_id": MARK}
    header = {"idempotency-key": "a-key-that-both-send"}
    with server.client(tenant=OWNER) as owner, server.client(tenant=STRANGER) as stranger:
        first = owner.post("/v1/queries", json=body, headers=header)
        again = owner.post("/v1/queries", json=body, headers=header)
        other = stranger.post("/v1/queries", json=body, headers=header)
    assert again.content == first.content
    assert other.status_code == 200
    assert other.json()["query_id"] != first.json()["query_id"]
    assert "idempotency-replayed" not in other.headers
