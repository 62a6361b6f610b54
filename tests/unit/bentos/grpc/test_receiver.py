"""Messages that do not arrive, arrive in part, are too large, or grow when they are decompressed."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import psutil
import pytest
from grpc import StatusCode
from structlog.testing import capture_logs

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.receiver import MIN_READS, WINDOW_BYTES, decompress_message
from frontdesk.errors import TooLarge
from tests.support.grpc_server import FakeWorker, GrpcFixture, bearer, serve_grpc
from tests.support.http2 import HEADERS, WINDOW_UPDATE, Connection, message

UNDERSTAND = "/frontdesk.v1.FrontdeskService/Understand"
BATCH = "/frontdesk.v1.FrontdeskService/UnderstandBatch"
STREAM = "/frontdesk.v1.FrontdeskService/AnswerStream"
CHECK = "/grpc.health.v1.Health/Check"
QUERY = pb.Query(text="Where is my parcel?").SerializeToString()
HALF = message(QUERY, declared=1000)
MEGABYTE = 1_000_000


@pytest.fixture
async def door() -> AsyncIterator[GrpcFixture]:
    async with serve_grpc(FakeWorker(), request_timeout_s=1.0) as opened:
        yield opened


def port(door: GrpcFixture) -> int:
    return int(door.address.rpartition(":")[2])


def end_of(door: GrpcFixture, path: str, data: bytes, *fields: tuple[str, str], end: bool = False) -> Any:
    """The trailers of one call on a separate connection, and the seconds until they arrived."""
    with Connection(port(door)) as connection:
        began = time.monotonic()
        trailers = connection.end_of(connection.call(path, fields, data=data, end=end), 5.0)
        return trailers, time.monotonic() - began


def code(trailers: dict[str, str | None] | None) -> StatusCode | None:
    """The status of a call. Checks that the trailers contain the details and the request id."""
    assert trailers is not None, "the call has not ended"
    assert trailers.keys() >= {"grpc-status-details-bin", "x-request-id"}
    return next(code for code in StatusCode if str(code.value[0]) == trailers["grpc-status"])


@pytest.mark.parametrize("path", [UNDERSTAND, BATCH, STREAM])
async def test_a_caller_without_a_token_is_refused_before_its_message_has_arrived(door: GrpcFixture, path: str) -> None:
    trailers, seconds = await asyncio.to_thread(end_of, door, path, HALF)
    assert code(trailers) is StatusCode.UNAUTHENTICATED
    assert seconds < 0.9


@pytest.mark.parametrize("path", [UNDERSTAND, BATCH, STREAM, CHECK])
@pytest.mark.parametrize("data", [b"", b"\x00", HALF], ids=["nothing", "a byte", "half a message"])
async def test_a_message_that_never_ends_exceeds_the_deadline_and_is_counted(
    door: GrpcFixture, path: str, data: bytes
) -> None:
    with capture_logs() as lines:
        trailers, seconds = await asyncio.to_thread(end_of, door, path, data, bearer())
        await asyncio.sleep(0.05)
    assert code(trailers) is StatusCode.DEADLINE_EXCEEDED
    assert 0.9 < seconds < 2.0
    assert [(line["route"], line["status"]) for line in lines] == [(path, 504)]
    assert f'route="{path}",status="504"' in door.worker.counted()
    assert 'frontdesk_rejected_total{kind="deadline-exceeded"} 1.0' in door.worker.counted()


async def test_the_deadline_of_the_header_limits_the_wait_for_the_message(door: GrpcFixture) -> None:
    fields = (bearer(), ("x-request-deadline-ms", "100"))
    trailers, seconds = await asyncio.to_thread(end_of, door, UNDERSTAND, HALF, *fields)
    assert code(trailers) is StatusCode.DEADLINE_EXCEEDED
    assert seconds < 0.9


async def test_a_stop_does_not_wait_for_unfinished_messages() -> None:
    async with serve_grpc(FakeWorker(), request_timeout_s=20.0) as door:
        waiting = asyncio.create_task(asyncio.to_thread(end_of, door, UNDERSTAND, HALF, bearer()))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await door.server.stop(10.0)
        assert time.monotonic() - began < 2.0
        trailers, _ = await waiting
    assert code(trailers) is StatusCode.UNAVAILABLE


class TestWindows:
    async def test_an_unread_stream_gets_only_the_first_window(self, door: GrpcFixture) -> None:
        """The client sends until the window is used up. It is refused and gets no larger window."""

        def updates() -> list[int]:
            with Connection(port(door)) as connection:
                stream = connection.call(CHECK, data=message(b"x" * (WINDOW_BYTES - 5), declared=60_000)[:100])
                return [
                    int.from_bytes(arrived.payload)
                    for arrived in connection.frames(0.5)
                    if arrived.kind == WINDOW_UPDATE and arrived.stream == stream
                ]

        assert sum(await asyncio.to_thread(updates)) <= 65_536

    async def test_many_unfinished_messages_without_a_token_cost_little_memory(self) -> None:
        """Core accepts 8 MB of each while it is read, but only a few are read at the same time."""
        process = psutil.Process()
        async with serve_grpc(FakeWorker(), request_timeout_s=20.0) as door:
            before = process.memory_info().rss
            ended = await asyncio.to_thread(_flood, port(door), calls=60, size=8 * MEGABYTE)
            grown = process.memory_info().rss - before
            assert await door.stub.Understand(pb.Query(text="x"), metadata=(bearer(),))
        assert ended >= 60 - MIN_READS
        assert grown < 60 * MEGABYTE

    async def test_an_ordinary_check_is_answered_while_reads_without_a_token_are_full(self) -> None:
        async with serve_grpc(FakeWorker(), request_timeout_s=20.0) as door:
            with Connection(port(door), source="127.0.0.9") as connection:
                for _ in range(50):
                    connection.call(CHECK, data=HALF)
                await asyncio.sleep(0.2)
                for _ in range(20):
                    trailers, seconds = await asyncio.to_thread(end_of, door, CHECK, message(b""), end=True)
                    assert trailers["grpc-status"] == "0"
                    assert seconds < 1.0


def _flood(port: int, *, calls: int, size: int) -> int:
    """The number of `calls` that have ended, after each has sent as many of `size` bytes as its window allows."""
    with Connection(port) as connection:
        content = message(b"x" * (size - 1), declared=size)
        windows, sent = {0: 65_535}, {}
        for _ in range(calls):
            stream = connection.call(CHECK)
            windows[stream], sent[stream] = WINDOW_BYTES, 0
        ended = 0
        until = time.monotonic() + 15.0  # a busy machine ends them later
        while time.monotonic() < until and ended < calls - MIN_READS:
            for stream, start in list(sent.items()):
                count = min(windows[0], windows[stream], len(content) - start)
                if count > 0:
                    connection.send(stream, content[start : start + count])
                    sent[stream] = start + count
                    windows[0] -= count
                    windows[stream] -= count
            for arrived in connection.frames(0.01):
                if arrived.kind == WINDOW_UPDATE and arrived.stream in windows:
                    windows[arrived.stream] += int.from_bytes(arrived.payload)
                elif arrived.kind == HEADERS and arrived.ends_stream:
                    ended += 1
                    sent.pop(arrived.stream, None)
        return ended


class TestSizes:
    @pytest.mark.parametrize("size", [300_000, 9 * MEGABYTE, 12 * MEGABYTE])
    async def test_a_message_above_its_methods_limit_is_refused_with_details(
        self, door: GrpcFixture, size: int
    ) -> None:
        with capture_logs() as lines:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await door.channel.unary_unary(UNDERSTAND)(b"\x0a" * size, metadata=(bearer(),))
            await door.server.call_handlers.wait_until_idle()
        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
        assert {"grpc-status-details-bin", "x-request-id"} <= dict(refused.value.trailing_metadata()).keys()
        assert [(line["route"], line["status"]) for line in lines] == [(UNDERSTAND, 413)]

    async def test_a_batch_may_have_more_bytes_than_one_message(self, door: GrpcFixture) -> None:
        batch = pb.BatchRequest(queries=[pb.Query(text="x" * 4000)] * 100)
        assert batch.ByteSize() > 65_536
        assert len((await door.stub.UnderstandBatch(batch, metadata=(bearer(),))).results) == 100

    async def test_a_second_message_is_not_read(self, door: GrpcFixture) -> None:
        data = message(QUERY) + message(b"x" * 100, declared=60_000)
        trailers, _ = await asyncio.to_thread(end_of, door, UNDERSTAND, data, bearer())
        assert trailers["grpc-status"] == "0"
        assert len(door.worker.champion.texts) == 1


class TestCompression:
    @pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
    async def test_a_compressed_message_is_understood(self, door: GrpcFixture, algorithm: grpc.Compression) -> None:
        query = pb.Query(text="Where is my parcel? " * 100)
        answer = await door.stub.Understand(query, metadata=(bearer(),), compression=algorithm)
        assert answer.intent.label == "track_order"

    @pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
    async def test_a_message_that_grows_above_the_limit_is_not_decompressed(
        self, door: GrpcFixture, algorithm: grpc.Compression
    ) -> None:
        """The client has one or two copies of its message; the server would add one of 100 MB."""
        zeros = bytes(100 * MEGABYTE)
        before = psutil.Process().memory_info().rss
        peak = before
        call = door.channel.unary_unary(BATCH)(zeros, metadata=(bearer(),), compression=algorithm)
        waiting = asyncio.ensure_future(_code_of(call))
        while not waiting.done():
            await asyncio.sleep(0.005)
            peak = max(peak, psutil.Process().memory_info().rss)
        assert waiting.result() is StatusCode.RESOURCE_EXHAUSTED
        assert peak - before < 150 * MEGABYTE

    @pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
    def test_decompression_stops_at_the_limit(self, compress: Any) -> None:
        assert decompress_message(compress(b"x" * 1000), 1000) == b"x" * 1000
        with pytest.raises(TooLarge):
            decompress_message(compress(b"x" * 1001), 1000)

    @pytest.mark.parametrize(
        "content", [b"\x78\x05", b"\x78", b"\x1f\x8b", gzip.compress(b"x", mtime=0)[:-3], zlib.compress(b"x")[:-3]]
    )
    async def test_bytes_that_only_begin_like_compressed_ones_are_no_message(
        self, door: GrpcFixture, content: bytes
    ) -> None:
        assert decompress_message(content, 1000) == content
        trailers, _ = await asyncio.to_thread(end_of, door, CHECK, message(content + b"\xff"), end=True)
        assert code(trailers) is StatusCode.INVALID_ARGUMENT


async def _code_of(call: Any) -> StatusCode:
    code: StatusCode = await call.code()
    return code
