"""The steps of every call, over a real channel to a server in this process, with fake dependencies."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from grpc_status import rpc_status
from structlog.testing import capture_logs

from bentos.grpc import frontdesk_pb2 as pb
from tests.support.fakes import FailingWriter
from tests.support.grpc_server import FakeModels, FakeWorker, GrpcFixture, bearer, serve_grpc

MARKER = "xyzzy-customer-words"
QUERY = pb.Query(text=f"Where is my parcel? {MARKER}")
UNDERSTAND = "/frontdesk.v1.FrontdeskService/Understand"


@pytest.fixture
async def door() -> AsyncIterator[GrpcFixture]:
    async with serve_grpc(FakeWorker(), max_body_bytes=20_000) as opened:
        yield opened


async def failure(asked: Any) -> tuple[grpc.aio.AioRpcError, Status | None]:
    """The error of a call that must fail, and its detailed status."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asked
    return refused.value, rpc_status.from_call(refused.value)


def detail(status: Status | None, kind: type[Any]) -> Any:
    assert status is not None
    (packed,) = [one for one in status.details if one.Is(kind.DESCRIPTOR)]
    unpacked = kind()
    packed.Unpack(unpacked)
    return unpacked


async def raw(door: GrpcFixture, content: bytes, method: str = UNDERSTAND) -> Any:
    return await door.channel.unary_unary(method)(content, metadata=(bearer(),))


class TestAuthentication:
    @pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer nonsense"),), (("authorization", ""),)])
    async def test_without_a_valid_token_nothing_is_read(self, door: GrpcFixture, metadata: tuple[Any, ...]) -> None:
        error, status = await failure(door.stub.Understand(QUERY, metadata=metadata))
        assert error.code() is StatusCode.UNAUTHENTICATED
        assert detail(status, ErrorInfo).reason == "UNAUTHENTICATED"
        assert door.worker.champion.texts == []

    @pytest.mark.parametrize(
        ("method", "request_", "lacking"),
        [
            ("Understand", QUERY, "understand"),
            ("UnderstandBatch", pb.BatchRequest(queries=[QUERY]), "understand"),
            ("Answer", QUERY, "answer"),
        ],
    )
    async def test_each_method_requires_its_scope(
        self, door: GrpcFixture, method: str, request_: Any, lacking: str
    ) -> None:
        others = {"understand", "answer", "feedback"} - {lacking}
        error, _ = await failure(getattr(door.stub, method)(request_, metadata=(bearer(others),)))
        assert error.code() is StatusCode.PERMISSION_DENIED
        assert f"scope {lacking}" in str(error.details())

    async def test_a_stream_requires_its_scope(self, door: GrpcFixture) -> None:
        error, _ = await failure(door.stub.AnswerStream(QUERY, metadata=(bearer(["understand"]),)).read())
        assert error.code() is StatusCode.PERMISSION_DENIED

    async def test_two_tokens_are_refused(self, door: GrpcFixture) -> None:
        error, _ = await failure(door.stub.Understand(QUERY, metadata=(bearer(), bearer(["admin"]))))
        assert error.code() is StatusCode.INVALID_ARGUMENT
        assert "authorization" in str(error.details())


class TestRequestId:
    async def test_it_is_returned(self, door: GrpcFixture) -> None:
        call = door.stub.Understand(QUERY, metadata=(bearer(), ("x-request-id", "mine-1")))
        await call
        assert dict(await call.trailing_metadata())["x-request-id"] == "mine-1"

    async def test_it_is_returned_with_an_error_and_at_the_end_of_a_stream(self, door: GrpcFixture) -> None:
        error, _ = await failure(door.stub.Understand(QUERY, metadata=(("x-request-id", "mine-2"),)))
        assert dict(error.trailing_metadata())["x-request-id"] == "mine-2"
        call = door.stub.AnswerStream(QUERY, metadata=(bearer(), ("x-request-id", "mine-3")))
        assert [event async for event in call]
        assert dict(await call.trailing_metadata())["x-request-id"] == "mine-3"

    @pytest.mark.parametrize("wanted", [None, "with blanks", "x" * 65, "<b>"])
    async def test_one_that_must_not_be_logged_is_replaced(self, door: GrpcFixture, wanted: str | None) -> None:
        metadata = (bearer(),) if wanted is None else (bearer(), ("x-request-id", wanted))
        call = door.stub.Understand(QUERY, metadata=metadata)
        await call
        assert uuid.UUID(dict(await call.trailing_metadata())["x-request-id"]).version == 7


class TestDeadline:
    @pytest.mark.parametrize(
        ("timeout_s", "header_ms", "within_s"),
        [
            (None, None, 10.0),
            (3.0, None, 3.0),
            (None, "2000", 2.0),
            (3.0, "1500", 1.5),
            (30.0, "60000", 10.0),
        ],
    )
    async def test_the_shortest_of_three_counts(
        self, door: GrpcFixture, timeout_s: float | None, header_ms: str | None, within_s: float
    ) -> None:
        metadata = (bearer(),) if header_ms is None else (bearer(), ("x-request-deadline-ms", header_ms))
        began = time.monotonic()
        await door.stub.Understand(QUERY, metadata=metadata, timeout=timeout_s)
        (deadline,) = door.worker.champion.deadlines
        assert deadline.at - began == pytest.approx(within_s, abs=0.4)

    @pytest.mark.parametrize("wanted", ["0", "-5", "soon", "1.5", "9999999999"])
    async def test_a_header_that_is_no_number_is_refused(self, door: GrpcFixture, wanted: str) -> None:
        metadata = (bearer(), ("x-request-deadline-ms", wanted))
        error, _ = await failure(door.stub.Understand(QUERY, metadata=metadata))
        assert error.code() is StatusCode.INVALID_ARGUMENT

    async def test_the_headers_deadline_ends_the_call_and_its_work(self) -> None:
        async with serve_grpc(FakeWorker(FakeModels(delay_s=30))) as door:
            request = door.stub.Understand(QUERY, metadata=(bearer(), ("x-request-deadline-ms", "50")))
            error, status = await failure(request)
            assert error.code() is StatusCode.DEADLINE_EXCEEDED
            assert detail(status, ErrorInfo).reason == "DEADLINE_EXCEEDED"
            await asyncio.wait_for(door.worker.champion.cancelled.wait(), 5)

    @pytest.mark.parametrize("method", ["Understand", "AnswerStream"])
    async def test_the_calls_own_deadline_ends_its_work_and_is_counted(self, method: str) -> None:
        async with serve_grpc(FakeWorker(FakeModels(delay_s=30))) as door:
            call = getattr(door.stub, method)(QUERY, metadata=(bearer(),), timeout=0.2)
            error, _ = await failure(call.read() if method == "AnswerStream" else call)
            assert error.code() is StatusCode.DEADLINE_EXCEEDED
            await asyncio.wait_for(door.worker.champion.cancelled.wait(), 5)
            await asyncio.wait_for(door.server.call_handlers.wait_until_idle(), 5)
            assert (
                f'method="GRPC",route="/frontdesk.v1.FrontdeskService/{method}",status="504"' in door.worker.counted()
            )


@pytest.mark.parametrize("method", ["Understand", "Answer", "AnswerStream"])
async def test_a_client_that_leaves_stops_the_work_and_is_counted(method: str) -> None:
    async with serve_grpc(FakeWorker(FakeModels(delay_s=30))) as door:
        call = getattr(door.stub, method)(QUERY, metadata=(bearer(),))
        reading = asyncio.ensure_future(call.read() if method == "AnswerStream" else _result(call))
        await asyncio.wait_for(door.worker.champion.reading.wait(), 5)
        call.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await asyncio.wait_for(door.worker.champion.cancelled.wait(), 5)
        await asyncio.wait_for(door.server.call_handlers.wait_until_idle(), 5)
        assert f'route="/frontdesk.v1.FrontdeskService/{method}",status="499"' in door.worker.counted()
        assert door.worker.recorder.records == []


async def _result(call: Any) -> Any:
    return await call


class TestRefusals:
    async def test_a_wrong_field_is_named(self, door: GrpcFixture) -> None:
        error, status = await failure(
            door.stub.Understand(pb.Query(text="x", language=f"{MARKER} !"), metadata=(bearer(),))
        )
        assert error.code() is StatusCode.INVALID_ARGUMENT
        assert [one.field for one in detail(status, BadRequest).field_violations] == ["language"]
        assert MARKER not in repr(status)

    async def test_a_full_server_refuses_before_any_other_check(self) -> None:
        async with serve_grpc(FakeWorker(FakeModels(full=True))) as door:
            error, status = await failure(door.stub.Understand(QUERY))
            assert error.code() is StatusCode.UNAVAILABLE
            assert detail(status, RetryInfo).retry_delay.ToTimedelta().total_seconds() == 1.5
            assert 'frontdesk_rejected_total{kind="overloaded"} 1.0' in door.worker.counted()

    async def test_an_answer_that_cannot_be_stored_is_not_acknowledged(self, door: GrpcFixture) -> None:
        door.worker.recorder.unavailable = True
        error, status = await failure(door.stub.Answer(QUERY, metadata=(bearer(),)))
        assert error.code() is StatusCode.UNAVAILABLE
        assert detail(status, ErrorInfo).reason == "STORAGE_UNAVAILABLE"

    async def test_one_query_may_not_be_as_large_as_a_batch(self, door: GrpcFixture) -> None:
        large = pb.Query(text="x", customer_id="c" * 20_000)
        error, _ = await failure(door.stub.Understand(large, metadata=(bearer(),)))
        assert error.code() is StatusCode.RESOURCE_EXHAUSTED
        batch = await door.stub.UnderstandBatch(pb.BatchRequest(queries=[large]), metadata=(bearer(),))
        assert batch.results[0].HasField("error")

    async def test_an_unknown_method_is_unimplemented(self, door: GrpcFixture) -> None:
        error, _ = await failure(raw(door, b"", "/frontdesk.v1.FrontdeskService/Nothing"))
        assert error.code() is StatusCode.UNIMPLEMENTED

    @pytest.mark.parametrize("method", ["Understand", "UnderstandBatch", "Answer"])
    async def test_malformed_bytes_are_an_error_of_the_caller(self, door: GrpcFixture, method: str) -> None:
        chance = random.Random(method)
        for _ in range(100):
            content = chance.randbytes(chance.randrange(1, 200))
            call = raw(door, content, f"/frontdesk.v1.FrontdeskService/{method}")
            (outcome,) = await asyncio.gather(call, return_exceptions=True)
            code = outcome.code() if isinstance(outcome, grpc.aio.AioRpcError) else StatusCode.OK
            assert code in (StatusCode.INVALID_ARGUMENT, StatusCode.OK), (content, outcome)
        assert (await door.stub.Understand(QUERY, metadata=(bearer(),))).intent.label == "track_order"

    async def test_a_string_that_is_not_utf8_is_an_error_of_the_caller(self, door: GrpcFixture) -> None:
        error, _ = await failure(raw(door, b"\x0a\x02\xff\xfe"))
        assert error.code() is StatusCode.INVALID_ARGUMENT


class TestDefects:
    @pytest.mark.parametrize("method", ["Understand", "AnswerStream"])
    async def test_a_defect_is_not_described_and_is_logged_without_its_message(
        self, method: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with capture_logs() as lines:
            async with serve_grpc(FakeWorker(FakeModels(defect=ValueError(MARKER)))) as door:
                call = getattr(door.stub, method)(QUERY, metadata=(bearer(), ("x-request-id", "mine")))
                error, _ = await failure(call.read() if method == "AnswerStream" else call)
                await asyncio.wait_for(door.server.call_handlers.wait_until_idle(), 5)
                counted = door.worker.counted()
        assert error.code() is StatusCode.INTERNAL
        assert f'route="/frontdesk.v1.FrontdeskService/{method}",status="500"' in counted
        logged, access = lines
        assert (logged["event"], logged["error"], logged["request_id"]) == ("failure", "builtins.ValueError", "mine")
        assert (access["event"], access["status"]) == ("request", 500)
        assert MARKER not in f"{error!r}{lines}{capfd.readouterr()}{caplog.text}"

    async def test_during_a_stream_it_becomes_the_final_status(self) -> None:
        worker = FakeWorker()
        worker.pipeline.writer = FailingWriter(ValueError(MARKER))
        with capture_logs() as lines:
            async with serve_grpc(worker) as door:
                stream = door.stub.AnswerStream(QUERY, metadata=(bearer(),))
                kinds = [(await stream.read()).WhichOneof("event") for _ in range(2)]
                error, _ = await failure(stream.read())
                await asyncio.wait_for(door.server.call_handlers.wait_until_idle(), 5)
        assert kinds == ["understanding", "sentence"]
        assert error.code() is StatusCode.INTERNAL
        assert [line["event"] for line in lines] == ["failure", "request"]
        assert MARKER not in f"{error!r}{lines}"
        assert not worker.recorder.records

    async def test_the_next_call_is_answered(self) -> None:
        async with serve_grpc(FakeWorker(FakeModels(defect=ValueError(MARKER)))) as door:
            await failure(door.stub.Understand(QUERY, metadata=(bearer(),)))
            door.worker.champion.defect = None
            assert (await door.stub.Understand(QUERY, metadata=(bearer(),))).query_id


async def test_an_answer_is_counted_and_logged_by_route_without_text(door: GrpcFixture) -> None:
    with capture_logs() as lines:
        answer = await door.stub.Understand(QUERY, metadata=(bearer(), ("x-request-id", "mine")))
        await door.server.call_handlers.wait_until_idle()

    (line,) = lines
    assert MARKER not in json.dumps(line)
    assert line.pop("duration_ms") > 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GRPC",
        "route": UNDERSTAND,
        "status": 200,
        "request_id": "mine",
        "tenant": "acme",
        "subject": "tester",
        "client": "127.0.0.1",
        "bytes_in": len(QUERY.SerializeToString()),
        "bytes_out": len(answer.SerializeToString()),
    }
    counted = door.worker.counted()
    assert f'frontdesk_http_requests_total{{method="GRPC",route="{UNDERSTAND}",status="200"}} 1.0' in counted


@pytest.mark.parametrize(("given", "fresh"), [("no-cache", True), ("max-age=0, No-Store", True), ("max-age=9", False)])
async def test_cache_control_reaches_the_models(door: GrpcFixture, given: str, fresh: bool) -> None:
    await door.stub.Understand(QUERY, metadata=(bearer(), ("cache-control", given)))
    assert door.worker.champion.fresh == [fresh]
