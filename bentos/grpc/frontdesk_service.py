"""frontdesk.v1.FrontdeskService: the gRPC form of the HTTP routes, with the same validation and pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.call import Behaviour, CallState
from bentos.grpc.error_status import error_status
from bentos.grpc.messages import answer_to_message, query_to_fields
from bentos.schemas.json_bounds import MAX_BATCH_ITEMS
from bentos.schemas.queries import parse_item
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, InvalidQuery
from frontdesk.pipeline import AnswerQuery
from frontdesk.types import Answer, EarlierAnswer, FinalAnswer, PreliminaryAnswer, Query, Sentence

RENDERING_S = 10.0


class FrontdeskService:
    """The service. `pipeline` is also called by the HTTP routes."""

    descriptor = pb.DESCRIPTOR.services_by_name["FrontdeskService"]

    def __init__(self, pipeline: AnswerQuery) -> None:
        self._pipeline = pipeline

    def methods(self) -> dict[str, Behaviour]:
        return {
            "Understand": self.understand,
            "UnderstandBatch": self.understand_batch,
            "Answer": self.answer,
            "AnswerStream": self.answer_stream,
        }

    async def understand(self, request: pb.Query, call: CallState) -> pb.Answer:
        return _convert_answer_and_mark_replay(
            await self._pipeline.understand(_parse_query_or_raise(request, call), call.caller, call.deadline), call
        )

    async def understand_batch(self, request: pb.BatchRequest, call: CallState) -> pb.BatchResponse:
        """Return a result for each query, in order. An invalid query fails alone."""
        if not 1 <= len(request.queries) <= MAX_BATCH_ITEMS:
            violation = ("queries", f"should have between 1 and {MAX_BATCH_ITEMS} items")
            raise InvalidQuery(f"{' '.join(violation)}.", violations=(violation,))
        time_slicer = self._pipeline.time_slicer
        items = await time_slicer.run_each(
            lambda query: _parse_query(query, call), request.queries, call.deadline, "it was read"
        )
        queries = [item for item in items if isinstance(item, Query)]
        answers = await self._pipeline.understand_batch(queries, call.caller, call.deadline) if queries else []
        answer_iterator = iter(answers)
        outcomes = [next(answer_iterator) if isinstance(item, Query) else item for item in items]
        rendering_deadline = Deadline.after(RENDERING_S)  # stored answers are returned even if the deadline has passed
        return pb.BatchResponse(
            results=await time_slicer.run_each(_batch_result, outcomes, rendering_deadline, "the answers were written")
        )

    async def answer(self, request: pb.Query, call: CallState) -> pb.Answer:
        return _convert_answer_and_mark_replay(
            await self._pipeline.answer(_parse_query_or_raise(request, call), call.caller, call.deadline), call
        )

    async def answer_stream(self, request: pb.Query, call: CallState) -> AsyncIterator[pb.AnswerEvent]:
        """Yield `understanding`, each sentence of the reply, then `final`. Stops when the client disconnects."""
        async with aclosing(
            self._pipeline.stream_answer(_parse_query_or_raise(request, call), call.caller, call.deadline)
        ) as events:
            async for event in events:
                match event:
                    case PreliminaryAnswer(answer):
                        yield pb.AnswerEvent(understanding=answer_to_message(answer))
                    case Sentence(text):
                        yield pb.AnswerEvent(sentence=pb.Sentence(text=text))
                    case FinalAnswer(answer):
                        yield pb.AnswerEvent(final=_convert_answer_and_mark_replay(answer, call))


def _parse_query_or_raise(request: pb.Query, call: CallState) -> Query:
    item = _parse_query(request, call)
    if isinstance(item, FrontdeskError):
        raise item
    return item if call.idempotency_key is None else replace(item, idempotency_key=call.idempotency_key)


def _convert_answer_and_mark_replay(answer: Answer, call: CallState) -> pb.Answer:
    """Convert an answer. A replay is marked in the trailing metadata, so the message itself is the same."""
    if isinstance(answer, EarlierAnswer):
        call.add_response_headers((("idempotency-replayed", "true"),))
    return answer_to_message(answer)


def _parse_query(request: pb.Query, call: CallState) -> Query | FrontdeskError:
    """Validate a query by the rules of the HTTP body. Return the query or the error."""
    try:
        fields = query_to_fields(request)
    except InvalidQuery as error:
        return error
    return parse_item(fields, fresh=call.fresh)


def _batch_result(outcome: Answer | FrontdeskError) -> pb.BatchResult:
    if isinstance(outcome, FrontdeskError):
        return pb.BatchResult(error=error_status(outcome))
    return pb.BatchResult(answer=answer_to_message(outcome))
