"""The methods of FrontdeskService, with a pipeline of fakes."""

from __future__ import annotations

from typing import Any

import pytest
from google.rpc.error_details_pb2 import BadRequest

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.call_handlers import CallState
from bentos.grpc.frontdesk_service import FrontdeskService
from frontdesk.errors import InvalidQuery
from tests.support.grpc_server import FakeWorker

TEXT = "Where is order #48213? Write to jane.roe@example.com"


def call(*, fresh: bool = False) -> CallState:
    new_call = CallState("/a/B", 0, None, 5.0)
    new_call.fresh = fresh
    return new_call


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def service(worker: FakeWorker) -> FrontdeskService:
    return FrontdeskService(worker.pipeline)


def test_every_method_of_the_schema_is_implemented(service: FrontdeskService) -> None:
    assert list(service.methods()) == [method.name for method in service.descriptor.methods]


async def test_understanding_has_no_reply(service: FrontdeskService) -> None:
    answer = await service.understand(pb.Query(text=TEXT), call())
    assert answer.intent.label == "track_order"
    assert not answer.HasField("reply")


async def test_an_answer_has_a_reply_and_is_stored(service: FrontdeskService, worker: FakeWorker) -> None:
    answer = await service.answer(pb.Query(text=TEXT), call())
    assert (answer.reply.text, answer.stored) == (f"About {TEXT}", "committed")
    assert len(worker.recorder.records) == 1


async def test_a_stream_begins_with_the_understanding_and_ends_with_the_answer_of_record(
    service: FrontdeskService, worker: FakeWorker
) -> None:
    events = [event async for event in service.answer_stream(pb.Query(text=TEXT), call())]

    kinds = [event.WhichOneof("event") for event in events]
    assert kinds == ["understanding", "sentence", "sentence", "final"]
    first, last = events[0].understanding, events[-1].final
    assert not first.HasField("reply")
    assert not first.HasField("stored")
    assert (first.query_id, first.intent) == (last.query_id, last.intent)
    assert "".join(event.sentence.text for event in events[1:-1]) == last.reply.text
    assert len(worker.recorder.records) == 1


class TestBatch:
    async def test_an_invalid_item_fails_alone_and_in_order(
        self, service: FrontdeskService, worker: FakeWorker
    ) -> None:
        request = pb.BatchRequest(queries=[pb.Query(text="one"), pb.Query(text=" "), pb.Query(text="two")])
        response = await service.understand_batch(request, call())

        assert [result.WhichOneof("result") for result in response.results] == ["answer", "error", "answer"]
        bad_request = BadRequest()
        assert response.results[1].error.details[1].Unpack(bad_request)
        assert [violation.field for violation in bad_request.field_violations] == ["text"]
        assert worker.champion.texts == ["one", "two"]

    async def test_the_models_are_not_called_if_every_item_is_invalid(
        self, service: FrontdeskService, worker: FakeWorker
    ) -> None:
        response = await service.understand_batch(pb.BatchRequest(queries=[pb.Query()]), call())
        assert response.results[0].HasField("error")
        assert worker.champion.deadlines == []

    async def test_storage_errors_are_reported_for_each_item(
        self, service: FrontdeskService, worker: FakeWorker
    ) -> None:
        worker.recorder.unavailable = True
        response = await service.understand_batch(pb.BatchRequest(queries=[pb.Query(text="one")]), call())
        assert "database is away" in response.results[0].error.message

    @pytest.mark.parametrize("size", [0, 257])
    async def test_too_few_and_too_many_items_are_refused(self, service: FrontdeskService, size: int) -> None:
        with pytest.raises(InvalidQuery) as refused:
            await service.understand_batch(pb.BatchRequest(queries=[pb.Query(text="x")] * size), call())
        assert [where for where, _ in refused.value.violations] == ["queries"]

    async def test_the_largest_batch_is_answered(self, service: FrontdeskService) -> None:
        response = await service.understand_batch(pb.BatchRequest(queries=[pb.Query(text="x")] * 256), call())
        assert len(response.results) == 256


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("method", ["understand", "answer"])
async def test_a_caller_can_bypass_the_cache(
    service: FrontdeskService, worker: FakeWorker, method: str, fresh: bool
) -> None:
    ask: Any = getattr(service, method)
    await ask(pb.Query(text=TEXT), call(fresh=fresh))
    assert worker.champion.fresh == [fresh]
