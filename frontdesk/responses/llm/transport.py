"""One HTTP call with OpenAI's protocol; every wait and every size is limited.

`CallFailed` contains the reason, whether the call may be repeated, and whether the server is at fault. Independent of
circuit breakers, budgets and prompts.
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
from frontdesk.responses.llm.sse import SseEventTooLong, SseParser
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
"""Every other status except 200 is a `bad_response`."""

RETRYABLE = frozenset((429, 502, 503, 504))
CLIENT_ERRORS = frozenset((400, 413, 422))
"""Statuses that say nothing about the server's health."""

T = TypeVar("T")


class CallFailed(LanguageModelUnavailable):
    """One call failed. `retry_after_s` is the shortest pause before a retry; None if a retry is not allowed."""

    def __init__(
        self, reason: FailureReason, *, retry_after_s: float | None = None, server_at_fault: bool = True
    ) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.server_at_fault = server_at_fault


class LlmTransport:
    """The server, through one pooled HTTP client."""

    def __init__(self, http: httpx2.AsyncClient, max_response_bytes: int) -> None:
        self._http = http
        self._max_response_bytes = max_response_bytes

    async def stream(self, body: bytes, timer: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the chunks of a streamed completion. Raises `CallFailed`, also if the stream ends too soon."""
        async with self._send("POST", "chat/completions", body, "text/event-stream", timer) as body_parts:
            parser = SseParser(MAX_EVENT_BYTES)
            is_finished = False
            async for data in body_parts:
                for event in _parse_events(parser, data):
                    if event == b"[DONE]":
                        is_finished = True
                        continue
                    chunk = _parse_chunk(event)
                    is_finished = is_finished or chunk.finish_reason is not None
                    yield chunk
            if not is_finished:
                raise CallFailed(FailureReason.BAD_RESPONSE)

    async def fetch(self, body: bytes, timer: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """Yield a completion that is not streamed, as one chunk."""
        async with self._send("POST", "chat/completions", body, "application/json", timer) as body_parts:
            response_body = b"".join([data async for data in body_parts])
        yield _parse_chunk(response_body)

    async def models(self, timer: CallTimer) -> tuple[str, ...]:
        """The names of the server's models."""
        async with self._send("GET", "models", None, "application/json", timer) as body_parts:
            response_body = b"".join([data async for data in body_parts])
        try:
            return parse_models(response_body)
        except MalformedResponse:
            raise CallFailed(FailureReason.BAD_RESPONSE) from None

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def _send(
        self, method: str, path: str, body: bytes | None, media_type: str, timer: CallTimer
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """Send a request and provide the response body, after checking status and content type."""
        headers = {"Accept": media_type} | ({"Content-Type": "application/json"} if body is not None else {})
        request = self._http.build_request(method, path, content=body, headers=headers)
        try:
            response = await _await_within(timer, self._http.send(request, stream=True))
        except httpx2.RequestError:  # no connection, or it closed before the response
            raise CallFailed(FailureReason.UNREACHABLE, retry_after_s=0.0) from None
        try:
            async with aclosing(_read_body(response, self._max_response_bytes, timer)) as body_parts:
                await _check_response(response, media_type, body_parts)
                yield body_parts
        finally:
            await response.aclose()


async def _await_within(timer: CallTimer, awaitable: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(timer.remaining_s()):
            return await awaitable
    except TimeoutError:
        raise CallFailed(FailureReason.TIMEOUT, server_at_fault=timer.is_server_at_fault()) from None


async def _read_body(response: httpx2.Response, max_bytes: int, timer: CallTimer) -> AsyncGenerator[bytes, None]:
    """Yield the body as it arrives, at most `max_bytes`. Never decompresses, because no compression was requested."""
    remaining = max_bytes
    async with aclosing(response.aiter_raw()) as raw:
        while True:
            try:
                data = await _await_within(timer, anext(raw, b""))
            except httpx2.RequestError:
                raise CallFailed(FailureReason.BAD_RESPONSE) from None
            if not data:
                return
            remaining -= len(data)
            if remaining < 0:
                raise CallFailed(FailureReason.TOO_LONG)
            yield data


async def _check_response(response: httpx2.Response, media_type: str, body_parts: AsyncGenerator[bytes, None]) -> None:
    """Raise `CallFailed` unless the status is 200 and the content type is `media_type`."""
    status = response.status_code
    if status == 400 and is_prompt_too_long(await _read_beginning(body_parts)):
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


async def _read_beginning(body_parts: AsyncGenerator[bytes, None]) -> bytes:
    beginning = b""
    async for data in body_parts:
        beginning += data
        if len(beginning) >= MAX_ERROR_BODY_BYTES:
            break
    return beginning


def _retry_after_s(response: httpx2.Response) -> float:
    """Whole seconds, as overloaded servers send them; 0 for a date, which they do not send."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0


def _parse_events(parser: SseParser, data: bytes) -> list[bytes]:
    try:
        return list(parser.feed(data))
    except SseEventTooLong:
        raise CallFailed(FailureReason.TOO_LONG) from None


def _parse_chunk(data: bytes) -> CompletionChunk:
    try:
        return parse_chunk(data)
    except MalformedResponse:
        raise CallFailed(FailureReason.BAD_RESPONSE) from None
