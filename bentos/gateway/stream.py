"""`/v1/queries/stream`: an answer as server-sent events (WHATWG HTML, section 9.2).

    event: understanding   the result of /v1/understand; the decision may still become a draft
    event: sentence        {"text": ...}, a part of the reply that passed the checks; joined, they are the reply
    event: final           the stored answer; its reply is authoritative, regardless of the sentences
    event: error           a problem (RFC 9457) instead of `final`; no answer was acknowledged

Errors before the first event are ordinary error responses. If the client disconnects, the generation stops. A defect is
sent as `error`, because a stream that only ends looks like a network failure, and logged without its message.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bentos.admission.errors import internal_error_problem, problem
from bentos.gateway.direct_route import direct_post
from bentos.gateway.openapi import IDEMPOTENT_PROBLEMS, openapi_json_body
from bentos.gateway.request_state import get_admitted, get_worker
from bentos.schemas.queries import QueryIn, parse
from bentos.worker.worker_context import WorkerContext
from frontdesk.errors import FrontdeskError
from frontdesk.observability.logs import log_failure
from frontdesk.storage.record_rows import answer_json
from frontdesk.types import AnswerEvent, EarlierAnswer, FinalAnswer, PreliminaryAnswer, Sentence

MEDIA_TYPE = "text/event-stream"
REPLAYED = {"idempotency-replayed": "true"}
UNBUFFERED = {"x-accel-buffering": "no"}
"""Makes nginx forward each part of a response as it arrives; it buffers by default."""

_SENTENCE = TypeAdapter(Sentence).serializer


def add_stream_route(app: FastAPI) -> None:
    @direct_post(
        app,
        "/v1/queries/stream",
        summary="Answer a message, sentence by sentence",
        responses={
            200: {
                "description": "Server-sent events: `understanding`, `sentence`s, then `final` or `error`",
                "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
            },
            **IDEMPOTENT_PROBLEMS,
        },
        openapi_extra=openapi_json_body("QueryIn", has_idempotency_key=True),
        tags=["answer"],
    )
    async def stream(request: Request) -> Response:
        """The same as `/v1/queries`, as a stream of events."""
        admitted, worker = get_admitted(request.scope), get_worker(request.scope)
        query = parse(QueryIn, admitted.body).query(fresh=admitted.fresh, idempotency_key=admitted.idempotency_key)
        events = worker.models.pipeline.stream_answer(query, admitted.caller, admitted.deadline)
        first = await anext(events)  # raises refusals before the response begins
        replayed = isinstance(first, FinalAnswer) and isinstance(first.answer, EarlierAnswer)
        content = _format_events(first, events, worker, admitted.request_id)
        return _EventStream(content, events, {**UNBUFFERED, **REPLAYED} if replayed else UNBUFFERED)


class _EventStream(StreamingResponse):
    """Closes the pipeline's events when the response ends for any reason."""

    def __init__(
        self, content: AsyncIterator[bytes], events: AsyncGenerator[AnswerEvent, None], headers: Mapping[str, str]
    ) -> None:
        super().__init__(content, media_type=MEDIA_TYPE, headers=headers)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


async def _format_events(
    first: AnswerEvent, events: AsyncGenerator[AnswerEvent, None], worker: WorkerContext, request_id: str
) -> AsyncIterator[bytes]:
    yield format_event(first)
    try:
        async for event in events:
            yield format_event(event)
    except FrontdeskError as error:
        worker.telemetry.metrics.observe_rejection(error.kind)
        yield _format_error_event(problem(error))
    except Exception as error:  # noqa: BLE001 - the response has begun, so the gateway cannot answer a defect
        log_failure(error, request_id)
        yield _format_error_event(internal_error_problem())


def format_event(event: AnswerEvent) -> bytes:
    """Format one event. JSON contains no line breaks, so one `data` line is enough."""
    match event:
        case PreliminaryAnswer(answer):
            return _format_sse_event("understanding", answer_json(answer))
        case Sentence():
            return _format_sse_event("sentence", _SENTENCE.to_json(event))
        case FinalAnswer(answer):
            return _format_sse_event("final", answer_json(answer))


def _format_error_event(members: dict[str, Any]) -> bytes:
    return _format_sse_event("error", json.dumps(members).encode())


def _format_sse_event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
