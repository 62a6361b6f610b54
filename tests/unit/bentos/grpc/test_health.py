"""The health service with clients that do not read, and with too many of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from bentos.grpc import sender
from bentos.grpc.call_handlers import CallState
from bentos.grpc.health import HealthService
from bentos.grpc.slots import CHECK_INTERVAL_S
from frontdesk.errors import Overloaded
from tests.support.grpc_server import FakeWorker, GrpcFixture, bearer, serve_grpc
from tests.support.http2 import Connection, frame, message

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
WATCH = "/grpc.health.v1.Health/Watch"
UNDERSTAND = "/frontdesk.v1.FrontdeskService/Understand"
STREAM = "/frontdesk.v1.FrontdeskService/AnswerStream"


def stalled(door: GrpcFixture, calls: int = 40) -> Connection:
    """A connection whose watchers give the server no window, so that nothing can be sent to them."""
    connection = Connection(int(door.address.rpartition(":")[2]), window=0)
    refuse_one(connection)
    for _ in range(calls):
        connection.call(WATCH, data=message(b""), end=True)
    return connection


def refuse_one(connection: Connection) -> int:
    """A call without a token, whose status needs no window.

    grpc.aio keeps the streams of its first and of its last call, so that other calls have to come before and after.
    """
    return connection.call(UNDERSTAND, data=message(b""), end=True)


def watching(door: GrpcFixture) -> Any:
    return health_pb2_grpc.HealthStub(door.channel).Watch(health_pb2.HealthCheckRequest(), timeout=5)


async def test_a_client_that_does_not_read_delays_no_other() -> None:
    async with serve_grpc(FakeWorker()) as door:
        with stalled(door):
            await asyncio.sleep(0.3)
            watcher = watching(door)
            assert (await asyncio.wait_for(watcher.read(), 1.0)).status == SERVING
            await door.server.mark_not_serving()
            assert (await asyncio.wait_for(watcher.read(), 1.0)).status == NOT_SERVING
            watcher.cancel()


async def test_the_server_stops_within_the_grace_time_while_no_client_reads() -> None:
    async with serve_grpc(FakeWorker()) as door:
        with stalled(door):
            await asyncio.sleep(0.3)
            began = time.monotonic()
            await door.server.stop(3.0)
            assert time.monotonic() - began < 3.0


async def test_health_is_marked_without_a_stop_and_calls_are_still_answered() -> None:
    async with serve_grpc(FakeWorker()) as door:
        await door.server.mark_not_serving()
        health = health_pb2_grpc.HealthStub(door.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == NOT_SERVING
        query = door.channel.unary_unary(UNDERSTAND)(b"\x0a\x01x", metadata=(bearer(),))
        assert await query


async def test_the_list_has_every_service() -> None:
    async with serve_grpc(FakeWorker()) as door:
        listed = await health_pb2_grpc.HealthStub(door.channel).List(health_pb2.HealthListRequest())
        assert set(listed.statuses) == {"", "frontdesk.v1.FrontdeskService", "inference.GRPCInferenceService"}
        assert {one.status for one in listed.statuses.values()} == {SERVING}


async def test_an_unknown_service_can_be_watched() -> None:
    async with serve_grpc(FakeWorker()) as door:
        watcher = health_pb2_grpc.HealthStub(door.channel).Watch(health_pb2.HealthCheckRequest(service="none"))
        assert (await watcher.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        watcher.cancel()


class TestStalledStreams:
    @pytest.mark.parametrize("path", [WATCH, "/grpc.health.v1.Health/List", UNDERSTAND, STREAM])
    async def test_a_response_that_is_not_read_is_reset(self, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sender, "WRITE_TIMEOUT_S", 0.5)
        async with serve_grpc(FakeWorker()) as door:
            before = len(asyncio.all_tasks())
            with Connection(int(door.address.rpartition(":")[2]), window=0) as connection:
                refuse_one(connection)
                stream = connection.call(path, (bearer(),), data=message(b"\x0a\x01x"), end=True)
                await asyncio.sleep(0.5 + 3 * CHECK_INTERVAL_S)
                assert len(asyncio.all_tasks()) <= before
                refuse_one(connection)
                assert await asyncio.to_thread(connection.end_of, stream, 2.0) is not None

    async def test_one_response_that_is_reset_leaves_others_of_its_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender, "WRITE_TIMEOUT_S", 0.5)
        async with serve_grpc(FakeWorker()) as door:
            with stalled(door, calls=3) as connection:
                await asyncio.sleep(0.5 + 3 * CHECK_INTERVAL_S)
                refused = refuse_one(connection)
                ended = await asyncio.to_thread(
                    lambda: {arrived.stream for arrived in connection.frames(1.0) if arrived.ends_stream}
                )
                assert ended == {1, 3, 5, 7, refused}


class TestManyWatchers:
    @staticmethod
    def call_from(address: str) -> CallState:
        call = CallState(WATCH, 0, None, 10.0)
        call.client = address
        return call

    async def test_a_surplus_ends_the_oldest_watcher_of_the_address_with_the_most(self) -> None:
        health = HealthService((), max_watchers=4)
        request = health_pb2.HealthCheckRequest()
        ordinary = health.watch(request, self.call_from("192.0.2.1"))
        assert (await anext(ordinary)).status == SERVING
        many = [health.watch(request, self.call_from("192.0.2.2")) for _ in range(4)]
        for watcher in many:
            assert (await anext(watcher)).status == SERVING
        with pytest.raises(Overloaded):
            await anext(many[0])
        health.set_not_serving()
        for watcher in (ordinary, *many[1:]):
            assert (await anext(watcher)).status == NOT_SERVING
            await watcher.aclose()

    async def test_a_client_gets_the_reason_why_its_watch_ended(self) -> None:
        async with serve_grpc(FakeWorker()) as door:
            door.server.health._watchers._capacity = 1
            first = watching(door)
            assert (await first.read()).status == SERVING
            second = watching(door)
            assert (await second.read()).status == SERVING
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await first.read()
            second.cancel()
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert {"grpc-status-details-bin", "x-request-id"} <= dict(ended.value.trailing_metadata()).keys()


@pytest.mark.parametrize("reset", [False, True])
async def test_clients_that_disconnect_during_a_response_are_no_defect(
    capfd: pytest.CaptureFixture[str], reset: bool
) -> None:
    """Watchers and readers of the schema, without a window, whose connection ends or whose streams are reset."""
    schema = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    request = message(reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString())
    async with serve_grpc(FakeWorker()) as door:
        for _ in range(10):
            with stalled(door, calls=5) as connection:
                streams = [connection.call(schema, data=request * 20) for _ in range(5)]
                await asyncio.sleep(0.05)
                if reset:
                    for stream in streams:
                        connection.socket.sendall(frame(3, 0, stream, (8).to_bytes(4, "big")))
                    await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        assert await health_pb2_grpc.HealthStub(door.channel).Check(health_pb2.HealthCheckRequest())
    logged = "".join(capfd.readouterr())
    assert "ExecuteBatchError" not in logged
    assert "Traceback" not in logged
