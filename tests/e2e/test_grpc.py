"""The gRPC door of a running server with two workers, as a client meets it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx2
import psutil
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from prometheus_client.parser import text_string_to_metric_families

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from tests.support.grpc_server import to_http_form
from tests.support.http2 import Connection, message
from tests.support.serving import EXIT_TIMEOUT_S, TENANT, Server, free_port, frontdesk

TEXTS = (
    "Where is my parcel? It should have come on Monday.",
    "I want my money back! This is the third time, and nobody answers.",
    "Can you tell me a joke about penguins",
    "Order #48213-7765 never came. Write to maria.lindqvist@example.org",
)
OF_THE_MOMENT = ("query_id", "timings_ms")
IN_FLIGHT = 40
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


def bearer(server: Server, *scopes: str) -> tuple[str, str]:
    return "authorization", f"Bearer {server.token(scopes or ('understand', 'answer'))}"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc_address) as opened:
        yield opened


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> FrontdeskServiceStub:
    return FrontdeskServiceStub(channel)


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in OF_THE_MOMENT}


class TestAnswers:
    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize(("path", "method"), [("/v1/understand", "Understand"), ("/v1/queries", "Answer")])
    def test_both_doors_say_the_same(
        self, server: Server, client: httpx2.Client, stub: FrontdeskServiceStub, path: str, method: str, text: str
    ) -> None:
        fields = {"text": text, "channel": "email", "customer_tier": "premium"}
        over_http = client.post(path, json=fields).json()
        query = pb.Query(text=text, channel=pb.CHANNEL_EMAIL, customer_tier=pb.CUSTOMER_TIER_PREMIUM)
        over_grpc = to_http_form(getattr(stub, method)(query, metadata=(bearer(server),)))

        assert lasting(over_grpc) == lasting(over_http)
        assert set(over_grpc["timings_ms"]) == set(over_http["timings_ms"])

    def test_a_batch_says_what_each_alone_does(self, server: Server, stub: FrontdeskServiceStub) -> None:
        queries = [pb.Query(text=text, store=False) for text in (*TEXTS, " ")]
        response = stub.UnderstandBatch(pb.BatchRequest(queries=queries), metadata=(bearer(server),))
        kinds = [result.WhichOneof("result") for result in response.results]
        assert kinds == ["answer"] * len(TEXTS) + ["error"]
        for query, result in zip(queries, response.results[:-1]):
            alone = stub.Understand(query, metadata=(bearer(server),))
            assert result.answer.intent.label == alone.intent.label
            assert result.answer.intent.confidence == pytest.approx(alone.intent.confidence, abs=1e-4)

    def test_a_stream_ends_with_the_answer_that_is_stored(self, server: Server, stub: FrontdeskServiceStub) -> None:
        events = list(stub.AnswerStream(pb.Query(text=TEXTS[0]), metadata=(bearer(server),)))
        assert [event.WhichOneof("event") for event in events][:2] == ["understanding", "sentence"]
        final = events[-1].final
        assert "".join(event.sentence.text for event in events) == final.reply.text
        (row,) = server.rows("SELECT tenant, query_text FROM queries WHERE id = ?", final.query_id)
        assert row == {"tenant": TENANT, "query_text": TEXTS[0]}


class TestRefusals:
    @pytest.mark.parametrize(
        ("request_", "metadata", "timeout_s", "code"),
        [
            (pb.Query(text="x"), (), None, StatusCode.UNAUTHENTICATED),
            (pb.Query(text="x"), (("authorization", "Bearer x.y.z"),), None, StatusCode.UNAUTHENTICATED),
            (pb.Query(text="x"), "answer", None, StatusCode.PERMISSION_DENIED),
            (pb.Query(text=" "), "understand", None, StatusCode.INVALID_ARGUMENT),
            (pb.Query(text="x"), "understand", 0.0001, StatusCode.DEADLINE_EXCEEDED),
        ],
        ids=["no token", "a bad token", "no scope", "a blank text", "no time"],
    )
    def test_each_has_its_code(
        self,
        server: Server,
        stub: FrontdeskServiceStub,
        request_: pb.Query,
        metadata: Any,
        timeout_s: float | None,
        code: StatusCode,
    ) -> None:
        stored_value = (bearer(server, metadata),) if isinstance(metadata, str) else metadata
        with pytest.raises(grpc.RpcError) as refused:
            stub.Understand(request_, metadata=stored_value, timeout=timeout_s)
        assert refused.value.code() is code

    def test_the_violations_are_those_of_http(
        self, server: Server, client: httpx2.Client, stub: FrontdeskServiceStub
    ) -> None:
        problem = client.post("/v1/understand", json={"text": "x" * 4001, "language": "?"}).json()
        with pytest.raises(grpc.RpcError) as refused:
            stub.Understand(pb.Query(text="x" * 4001, language="?"), metadata=(bearer(server),))
        status = rpc_status.from_call(refused.value)
        results = BadRequest()
        assert [detail.Unpack(results) for detail in status.details][-1]
        violations = [{"field": one.field, "problem": one.description} for one in results.field_violations]
        assert violations == problem["violations"]
        assert refused.value.details() == problem["detail"]

    @pytest.mark.parametrize("method", ["/frontdesk.v1.FrontdeskService/Nothing", "/nothing.Here/At", "/x"])
    def test_what_is_not_there_is_unimplemented(self, server: Server, channel: grpc.Channel, method: str) -> None:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(method)(b"", metadata=(bearer(server),))
        assert refused.value.code() is StatusCode.UNIMPLEMENTED


def test_health_and_reflection_are_open_to_anyone(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "frontdesk.v1.FrontdeskService", "inference.GRPCInferenceService"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    request = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (listed,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(request)
    names = {service.name for service in listed.list_services_response.service}
    assert {"frontdesk.v1.FrontdeskService", "inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names


def test_calls_are_counted_beside_those_over_http(
    server: Server, client: httpx2.Client, stub: FrontdeskServiceStub
) -> None:
    def counted() -> float:
        families = text_string_to_metric_families(client.get("/metrics").text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "frontdesk_http_requests_total"
            and sample.labels
            == {"route": "/frontdesk.v1.FrontdeskService/Understand", "method": "GRPC", "status": "200"}
        )

    before = counted()
    stub.Understand(pb.Query(text=TEXTS[0]), metadata=(bearer(server),))
    give_up = time.monotonic() + 5
    while counted() < before + 1 and time.monotonic() < give_up:
        time.sleep(0.05)
    assert counted() == before + 1


def test_both_workers_are_reached_through_the_one_port(server: Server) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(32):
            channel = opened.enter_context(grpc.insecure_channel(server.grpc_address, options=OWN_CONNECTION))
            FrontdeskServiceStub(channel).Understand(pb.Query(text=TEXTS[0], store=False), metadata=(bearer(server),))
        reached = {
            name: sum(
                connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == server.grpc_port
                for connection in psutil.Process(pid).net_connections("tcp")
            )
            for name, pid in server.workers().items()
        }
    assert len(reached) == 2
    assert min(reached.values()) > 0
    assert sum(reached.values()) >= 32


class TestLifecycle:
    async def test_calls_in_flight_are_finished_when_the_server_stops(self, home: Path) -> None:
        """And what it acknowledged is stored; who comes later is told so, with the code that clients try again."""
        acknowledged: list[str] = []
        others: list[StatusCode] = []

        async def ask(stub: FrontdeskServiceStub, metadata: tuple[tuple[str, str], ...]) -> None:
            while True:
                try:
                    acknowledged.append((await stub.Answer(pb.Query(text=TEXTS[0]), metadata=metadata)).query_id)
                except grpc.aio.AioRpcError as error:
                    others.append(error.code())
                    return

        with Server(home) as server:
            async with _channels(server, IN_FLIGHT) as stubs:
                asking = [asyncio.create_task(ask(stub, (bearer(server),))) for stub in stubs]
                while len(acknowledged) < 2 * IN_FLIGHT:
                    await asyncio.sleep(0.01)
                    assert not others
                started = time.monotonic()
                server.terminate()
                await asyncio.wait_for(asyncio.gather(*asking), EXIT_TIMEOUT_S)
            code = await asyncio.to_thread(server.process.wait, EXIT_TIMEOUT_S)

            assert time.monotonic() - started < 15.0
            assert set(others) == {StatusCode.UNAVAILABLE}
            assert set(acknowledged) <= {row["id"] for row in server.rows("SELECT id FROM queries")}
            assert code == 0
            assert server.processes() == []
            assert '"event": "failure"' not in server.log()
            assert "Traceback" not in server.log()

    def test_neither_a_watcher_of_health_nor_clients_that_read_nothing_hold_the_server(self, home: Path) -> None:
        with (
            Server(home, workers=1) as server,
            grpc.insecure_channel(server.grpc_address) as channel,
            Connection(server.grpc_port, window=0) as connection,
        ):
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
            for path in ("/grpc.health.v1.Health/Watch", "/inference.GRPCInferenceService/ServerLive"):
                for _ in range(20):
                    connection.call(path, data=message(b""), end=True)
            time.sleep(0.5)
            server.terminate()
            assert next(watching).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert server.process.wait(15.0) == 0

    def test_a_port_that_is_taken_is_refused_by_its_setting(self, home: Path, server: Server) -> None:
        ports = {"server__port": free_port(), "server__grpc_port": server.grpc_port}
        refused = frontdesk(home, "serve", timeout_s=12.0, **ports)

        assert refused.returncode != 0
        assert refused.stderr.startswith("error ")
        assert str(server.grpc_port) in refused.stderr
        assert "FRONTDESK_SERVER__GRPC_PORT" in refused.stderr
        assert "Traceback" not in refused.stderr

    def test_bentomls_own_command_refuses_it_too(self, home: Path, server: Server) -> None:
        """Two servers could share a port by accident: the kernel would give each a part of the other's callers."""
        command = ("-m", "bentoml", "serve", "bentos.service:Frontdesk")
        with pytest.raises(AssertionError, match="FRONTDESK_SERVER__GRPC_PORT"):
            Server(home, command=command, server__grpc_port=server.grpc_port).__enter__()

    def test_without_a_port_there_is_no_grpc(self, home: Path) -> None:
        with Server(home, workers=1, server__grpc_port="null") as server:
            (pid,) = server.workers().values()
            listening = [
                connection.laddr.port
                for connection in psutil.Process(pid).net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
            assert server.grpc_port not in listening
            assert "gRPC" not in server.log()


@contextlib.asynccontextmanager
async def _channels(server: Server, count: int) -> AsyncIterator[list[FrontdeskServiceStub]]:
    channels = [grpc.aio.insecure_channel(server.grpc_address, options=OWN_CONNECTION) for _ in range(count)]
    try:
        yield [FrontdeskServiceStub(channel) for channel in channels]
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


def test_the_greeting_says_where(server: Server) -> None:
    assert f"gRPC: {server.grpc_address}" in server.log()
