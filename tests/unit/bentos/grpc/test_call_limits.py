"""Calls beyond the budget of their address: each connection is refused once, then closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from structlog.testing import capture_logs

from bentos.grpc import call_budget
from bentos.grpc import frontdesk_pb2 as pb
from tests.support.grpc_server import FakeModels, FakeWorker, GrpcFixture, bearer, serve_grpc
from tests.support.http2 import RST_STREAM, Connection, frame, message

UNDERSTAND = "/frontdesk.v1.FrontdeskService/Understand"
CHECK = "/grpc.health.v1.Health/Check"
INFO = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
BUDGET = 10
QUERY = pb.Query(text="Where is my parcel?").SerializeToString()
CLOSED_COUNT = 'frontdesk_connections_closed_total{reason="grpc_calls"}'
PROXY, CLIENT = "127.0.0.8", "127.0.0.9"


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten calls for each address, which do not refill while a test runs."""
    monkeypatch.setattr(call_budget, "ADDRESS_BURST", BUDGET)
    monkeypatch.setattr(call_budget, "ADDRESS_CALLS_PER_S", 0.001)
    monkeypatch.setattr(call_budget, "SHARED_BURST", 0)
    monkeypatch.setattr(call_budget, "SHARED_CALLS_PER_S", 0.001)


def port(door: GrpcFixture) -> int:
    return int(door.address.rpartition(":")[2])


def statuses(connection: Connection, path: str, calls: int, *fields: tuple[str, str]) -> Iterator[str | None]:
    """The gRPC status of each of several consecutive calls; None if the connection was closed."""
    for _ in range(calls):
        try:
            stream = connection.call(path, fields, data=message(QUERY if path == UNDERSTAND else b""), end=True)
        except OSError:
            yield None
            continue
        trailers = connection.end_of(stream, 2.0)
        yield trailers.get("grpc-status") if trailers else None


def made(door: GrpcFixture, path: str, calls: int, *fields: tuple[str, str], source: str = CLIENT) -> list[str | None]:
    with Connection(port(door), source=source) as connection:
        return list(statuses(connection, path, calls, *fields))


def is_closed(connection: Connection) -> bool:
    """Whether the server closes the connection within two seconds."""
    list(connection.frames(2.0))
    try:
        return connection.socket.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize(("path", "status"), [(UNDERSTAND, "16"), (CHECK, "0"), ("/none.Service/None", "12")])
async def test_a_call_beyond_the_budget_is_refused_and_the_next_closes_its_connection(path: str, status: str) -> None:
    async with serve_grpc(FakeWorker()) as door:
        with Connection(port(door), source=CLIENT) as connection:
            answers = await asyncio.to_thread(lambda: list(statuses(connection, path, BUDGET + 2)))
            assert answers == [status] * BUDGET + ["8", None]
            assert await asyncio.to_thread(is_closed, connection)
        assert f"{CLOSED_COUNT} 1.0" in door.worker.counted()


async def test_a_refused_connection_without_another_call_is_closed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bentos.grpc.connection_closer.HOLD_S", (0.2, 0.3))
    async with serve_grpc(FakeWorker()) as door:
        with Connection(port(door), source=CLIENT) as connection:
            await asyncio.to_thread(lambda: list(statuses(connection, UNDERSTAND, BUDGET + 1)))
            assert await asyncio.to_thread(is_closed, connection)


async def test_a_new_connection_of_the_address_is_refused_once() -> None:
    async with serve_grpc(FakeWorker()) as door:
        await asyncio.to_thread(made, door, UNDERSTAND, BUDGET + 1)
        with Connection(port(door), source=CLIENT) as connection:
            assert await asyncio.to_thread(lambda: list(statuses(connection, UNDERSTAND, 2))) == ["8", None]
            assert await asyncio.to_thread(is_closed, connection)


async def test_calls_that_are_reset_at_once_count() -> None:
    async with serve_grpc(FakeWorker()) as door:
        with Connection(port(door), source=CLIENT) as connection:
            for _ in range(50):
                try:
                    stream = connection.call(UNDERSTAND)
                    connection.socket.sendall(frame(RST_STREAM, 0, stream, bytes(4)))
                except OSError:
                    break
                await asyncio.sleep(0.01)
            assert await asyncio.to_thread(is_closed, connection)


async def test_a_valid_token_is_accepted_from_an_address_without_budget() -> None:
    async with serve_grpc(FakeWorker()) as door:
        await asyncio.to_thread(made, door, UNDERSTAND, BUDGET + 1)
        answers = await asyncio.to_thread(made, door, UNDERSTAND, 3 * BUDGET, bearer())
        assert answers == ["0"] * (3 * BUDGET)


async def test_calls_with_a_token_cost_nothing_of_the_budget() -> None:
    async with serve_grpc(FakeWorker()) as door:
        assert await asyncio.to_thread(made, door, UNDERSTAND, 3 * BUDGET, bearer()) == ["0"] * (3 * BUDGET)
        assert await asyncio.to_thread(made, door, CHECK, BUDGET) == ["0"] * BUDGET


async def test_calls_with_a_token_that_overload_refuses_cost_nothing_of_the_budget() -> None:
    async with serve_grpc(FakeWorker(FakeModels(full=True))) as door:
        assert await asyncio.to_thread(made, door, UNDERSTAND, 2 * BUDGET, bearer()) == ["14"] * (2 * BUDGET)
        assert await asyncio.to_thread(made, door, CHECK, BUDGET) == ["0"] * BUDGET


async def test_overload_does_not_hide_calls_without_a_token() -> None:
    async with serve_grpc(FakeWorker(FakeModels(full=True))) as door:
        answers = await asyncio.to_thread(made, door, UNDERSTAND, BUDGET + 1)
        assert answers == ["14"] * BUDGET + ["8"]


async def test_an_invalid_token_does_not_bypass_the_budget() -> None:
    async with serve_grpc(FakeWorker()) as door:
        answers = await asyncio.to_thread(made, door, UNDERSTAND, BUDGET + 1, ("authorization", "Bearer nonsense"))
        assert answers == ["16"] * BUDGET + ["8"]


async def test_another_address_keeps_its_budget() -> None:
    async with serve_grpc(FakeWorker()) as door:
        await asyncio.to_thread(made, door, UNDERSTAND, BUDGET + 1)
        answers = await asyncio.to_thread(lambda: made(door, CHECK, BUDGET, source="127.0.0.10"))
        assert answers == ["0"] * BUDGET


async def test_a_trusted_proxy_has_no_budget() -> None:
    async with serve_grpc(FakeWorker(), trusted_proxies=(f"{PROXY}/32",)) as door:
        answers = await asyncio.to_thread(lambda: made(door, UNDERSTAND, 3 * BUDGET, source=PROXY))
        assert answers == ["16"] * (3 * BUDGET)


async def test_each_request_of_a_reflection_stream_counts() -> None:
    question = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    async with serve_grpc(FakeWorker()) as door:
        with Connection(port(door), source=CLIENT) as connection:
            stream = connection.call(INFO)
            for _ in range(BUDGET + 1):
                connection.send(stream, message(question))
            trailers = await asyncio.to_thread(connection.end_of, stream, 2.0)
            assert trailers is not None
            assert trailers["grpc-status"] == "8"


async def test_one_line_is_logged_for_a_connection_that_exceeds_the_budget() -> None:
    with capture_logs() as lines:
        async with serve_grpc(FakeWorker()) as door:
            with Connection(port(door), source=CLIENT) as connection:
                for _ in range(5 * BUDGET):
                    connection.call(UNDERSTAND)
                assert await asyncio.to_thread(is_closed, connection)
            counted = door.worker.counted()
    assert [line["status"] for line in lines] == [401] * BUDGET + [429]
    assert f'route="{UNDERSTAND}",status="429"' in counted


async def test_a_client_library_receives_the_retry_delay() -> None:
    async with serve_grpc(FakeWorker()) as door:
        check = door.channel.unary_unary(CHECK, response_deserializer=health_pb2.HealthCheckResponse.FromString)
        for _ in range(BUDGET):
            await check(b"")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await check(b"")
        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" in dict(refused.value.trailing_metadata())
