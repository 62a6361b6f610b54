"""Start and stop of the server: health, reflection, calls in flight, streams that never end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from bentos.admission.routes import RPCS
from bentos.grpc import frontdesk_pb2 as pb
from tests.support.grpc_server import FakeModels, FakeWorker, GrpcFixture, bearer, serve_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
QUERY = pb.Query(text="Where is my parcel?")


async def health_of(door: GrpcFixture, service: str) -> Any:
    return (await health_pb2_grpc.HealthStub(door.channel).Check(health_pb2.HealthCheckRequest(service=service))).status


@pytest.mark.parametrize("service", ["", "frontdesk.v1.FrontdeskService", "inference.GRPCInferenceService"])
async def test_an_open_server_is_healthy(service: str) -> None:
    async with serve_grpc(FakeWorker()) as door:
        assert await health_of(door, service) == SERVING


async def test_the_health_of_an_unknown_service_is_not_found() -> None:
    async with serve_grpc(FakeWorker()) as door:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await health_of(door, "nothing")
        assert refused.value.code() is StatusCode.NOT_FOUND


async def test_reflection_lists_the_services_and_shows_their_schema() -> None:
    async with serve_grpc(FakeWorker()) as door:
        stub = reflection_pb2_grpc.ServerReflectionStub(door.channel)
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="frontdesk.v1.Answer"),
        ]
        listed, schema = [answer async for answer in stub.ServerReflectionInfo(iter(requests))]
    assert {service.name for service in listed.list_services_response.service} == {
        "frontdesk.v1.FrontdeskService",
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert pb.DESCRIPTOR.serialized_pb in schema.file_descriptor_response.file_descriptor_proto


async def test_malformed_bytes_stop_neither_health_nor_reflection() -> None:
    """gRPC's own servicers answer UNKNOWN, and log a line without the bytes."""
    foreign = [rpc.path for rpc in RPCS if rpc.foreign]
    async with serve_grpc(FakeWorker()) as door:
        for path in foreign:
            for content in (b"\xff" * 50, b"\x0a\xff", b"\x0a\x02\xff\xfe", bytes(range(256))):
                call = door.channel.stream_stream(path)(iter([content]), timeout=5)
                assert await call.code() is not StatusCode.OK
        assert await health_of(door, "") == SERVING


class TestStopping:
    async def test_calls_in_flight_are_answered_and_new_ones_are_refused(self) -> None:
        async with serve_grpc(FakeWorker(FakeModels(delay_s=0.5))) as door:
            calls = [door.stub.Answer(QUERY, metadata=(bearer(),)) for _ in range(20)]
            streams = [door.stub.AnswerStream(QUERY, metadata=(bearer(),)) for _ in range(5)]
            answers = asyncio.gather(*(_result(call) for call in calls), *(_all(stream) for stream in streams))
            while len(door.worker.champion.deadlines) < 25:
                await asyncio.sleep(0.01)
            stopping = asyncio.create_task(door.server.stop(10.0))
            await asyncio.sleep(0.1)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await door.stub.Understand(QUERY, metadata=(bearer(),))

            answered = await answers
            await stopping
            assert refused.value.code() is StatusCode.UNAVAILABLE
            assert all(answer.stored == "committed" for answer in answered[:20])
            assert all(events[-1].HasField("final") for events in answered[20:])
            assert len(door.worker.recorder.records) == 25

    async def test_a_watcher_is_notified_and_does_not_delay_the_stop(self) -> None:
        async with serve_grpc(FakeWorker()) as door:
            watching = health_pb2_grpc.HealthStub(door.channel).Watch(health_pb2.HealthCheckRequest())
            first = await watching.read()
            began = time.monotonic()
            stopping = asyncio.create_task(door.server.stop(30.0))
            second = await watching.read()
            await stopping
            assert (first.status, second.status) == (SERVING, NOT_SERVING)
            assert time.monotonic() - began < 5.0

    async def test_calls_that_take_longer_than_the_grace_time_are_cancelled(self) -> None:
        async with serve_grpc(FakeWorker(FakeModels(delay_s=60))) as door:
            call = asyncio.ensure_future(_result(door.stub.Answer(QUERY, metadata=(bearer(),))))
            await asyncio.wait_for(door.worker.champion.reading.wait(), 5)
            began = time.monotonic()
            await door.server.stop(0.3)
            assert time.monotonic() - began < 5.0
            with pytest.raises(grpc.aio.AioRpcError):
                await call
            await asyncio.wait_for(door.worker.champion.cancelled.wait(), 5)


async def _result(call: Any) -> Any:
    return await call


async def _all(stream: Any) -> list[Any]:
    return [event async for event in stream]


@pytest.mark.parametrize("size", [20_001, 100_000])
async def test_more_bytes_than_any_message_may_have_are_refused(size: int) -> None:
    async with serve_grpc(FakeWorker(), max_batch_body_bytes=20_000) as door:
        understand_batch = door.channel.unary_unary("/frontdesk.v1.FrontdeskService/UnderstandBatch")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await understand_batch(b"x" * size, metadata=(bearer(),))
        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED


async def test_too_much_metadata_is_refused() -> None:
    async with serve_grpc(FakeWorker(), max_header_bytes=1024) as door:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await door.stub.Understand(QUERY, metadata=(("x-much", "y" * 2000),))
        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
