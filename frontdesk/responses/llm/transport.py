"""One call to a server that speaks OpenAI's protocol: every wait bound in time, everything that is read in bytes.

`CallFailed` says what the caller needs to act: the reason, whether the call may be repeated, whether the server is to
blame. Knows nothing of breakers, budgets or prompts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import httpx2

from frontdesk.responses.llm.chat_completions import (
    CompletionChunk,
    MalformedResponse,
    is_prompt_too_long,
    parse_chunk,
    parse_models,
)
from frontdesk.responses.llm.port import FailureReason, LanguageModelUnavailable
from frontdesk.responses.llm.sse import EventParser, EventTooLong
from frontdesk.responses.llm.timeouts import CallTimer

MAX_EVENT_BYTES = 65_536
MAX_ERROR_BODY_BYTES = 8_192

REASON_BY_STATUS = {
    401: FailureReason.UNAUTHORIZED,
    403: FailureReason.UNAUTHORIZED,
    413: FailureReason.TOO_LONG,
    429: FailureReason.RATE_LIMITED,
    502: FailureReason.UNREACHABLE,
    503: FailureReason.OVERLOADED,
    504: FailureReason.UNREACHABLE,
}
"""By status; every other one but 200 is a `bad_response`."""

RETRYABLE = frozenset((429, 502, 503, 504))
CLIENT_ERRORS = frozenset((400, 413, 422))
"""Statuses that say nothing of the server's health."""

T = TypeVar("T")


class CallFailed(LanguageModelUnavailable):
    """One call failed. `retry_after_s`: the least pause before it may be repeated; None: it may not."""

    def __init__(
        self, reason: FailureReason, *, retry_after_s: float | None = None, server_at_fault: bool = True
    ) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.server_at_fault = server_at_fault


class Upstream:
    """The server, through one pooled HTTP client."""

    def __init__(self, http: httpx2.AsyncClient, max_response_bytes: int) -> None:
        self._http = http
        self._max_response_bytes = max_response_bytes

    async def stream(self, body: bytes, patience: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """The pieces of a streamed completion as they come; raises `CallFailed`, also where the stream ends too soon."""
        async with self._asked("POST", "chat/completions", body, "text/event-stream", patience) as read:
            parser = EventParser(MAX_EVENT_BYTES)
            ended = False
            async for arrived in read:
                for event in _events(parser, arrived):
                    if event == b"[DONE]":
                        ended = True
                        continue
                    piece = _understood(event)
                    ended = ended or piece.finish_reason is not None
                    yield piece
            if not ended:
                raise CallFailed(FailureReason.BAD_RESPONSE)

    async def fetch(self, body: bytes, patience: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """A completion that is not streamed, as one piece."""
        async with self._asked("POST", "chat/completions", body, "application/json", patience) as read:
            answer = b"".join([arrived async for arrived in read])
        yield _understood(answer)

    async def models(self, patience: CallTimer) -> tuple[str, ...]:
        """The names of the models that the server has."""
        async with self._asked("GET", "models", None, "application/json", patience) as read:
            answer = b"".join([arrived async for arrived in read])
        try:
            return parse_models(answer)
        except MalformedResponse:
            raise CallFailed(FailureReason.BAD_RESPONSE) from None

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, body: bytes | None, media_type: str, patience: CallTimer
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The bytes of the answer, once its status and type are what they should be."""
        headers = {"Accept": media_type} | ({"Content-Type": "application/json"} if body is not None else {})
        request = self._http.build_request(method, path, content=body, headers=headers)
        try:
            response = await _within(patience, self._http.send(request, stream=True))
        except httpx2.RequestError:  # no connection, or one that broke before it said anything
            raise CallFailed(FailureReason.UNREACHABLE, retry_after_s=0.0) from None
        try:
            async with aclosing(_arriving(response, self._max_response_bytes, patience)) as read:
                await _refuse(response, media_type, read)
                yield read
        finally:
            await response.aclose()


async def _within(patience: CallTimer, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(patience.remaining_s()):
            return await work
    except TimeoutError:
        raise CallFailed(FailureReason.TIMEOUT, server_at_fault=patience.is_server_at_fault()) from None


async def _arriving(response: httpx2.Response, max_bytes: int, patience: CallTimer) -> AsyncGenerator[bytes, None]:
    """The body as it comes, never decompressed (it was not asked for), and never more than `max_bytes`."""
    left = max_bytes
    async with aclosing(response.aiter_raw()) as raw:
        while True:
            try:
                arrived = await _within(patience, anext(raw, b""))
            except httpx2.RequestError:
                raise CallFailed(FailureReason.BAD_RESPONSE) from None
            if not arrived:
                return
            left -= len(arrived)
            if left < 0:
                raise CallFailed(FailureReason.TOO_LONG)
            yield arrived


async def _refuse(response: httpx2.Response, media_type: str, read: AsyncGenerator[bytes, None]) -> None:
    """Raise `CallFailed` unless this is a 200 of that type."""
    status = response.status_code
    if status == 400 and is_prompt_too_long(await _beginning(read)):
        raise CallFailed(FailureReason.TOO_LONG, server_at_fault=False)
    if status != 200:
        raise CallFailed(
            REASON_BY_STATUS.get(status, FailureReason.BAD_RESPONSE),
            retry_after_s=_retry_after_s(response) if status in RETRYABLE else None,
            server_at_fault=status not in CLIENT_ERRORS,
        )
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != media_type:
        raise CallFailed(FailureReason.BAD_RESPONSE)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise CallFailed(FailureReason.BAD_RESPONSE)


async def _beginning(read: AsyncGenerator[bytes, None]) -> bytes:
    beginning = b""
    async for arrived in read:
        beginning += arrived
        if len(beginning) >= MAX_ERROR_BODY_BYTES:
            break
    return beginning


def _retry_after_s(response: httpx2.Response) -> float:
    """Whole seconds, as servers under load send it; a date, which they do not, counts as nothing said."""
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _events(parser: EventParser, arrived: bytes) -> list[bytes]:
    try:
        return list(parser.feed(arrived))
    except EventTooLong:
        raise CallFailed(FailureReason.TOO_LONG) from None


def _understood(data: bytes) -> CompletionChunk:
    try:
        return parse_chunk(data)
    except MalformedResponse:
        raise CallFailed(FailureReason.BAD_RESPONSE) from None
