"""One call to a server that speaks OpenAI's protocol: every wait bound in time, everything that is read in bytes.

`Failed` says what the caller needs to act: the reason, whether the call may be repeated, whether the server is to
blame. Knows nothing of breakers, budgets or prompts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import httpx2

from frontdesk.responses.llm.chat_completions import NotTheProtocol, Piece, read_models, read_piece, says_too_long
from frontdesk.responses.llm.port import LanguageModelUnavailable, Reason
from frontdesk.responses.llm.sse import EventParser, EventTooLong
from frontdesk.responses.llm.timeouts import Patience

MAX_EVENT_BYTES = 65_536
MAX_REFUSAL_BYTES = 8_192

REASONS = {
    401: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    413: Reason.TOO_LONG,
    429: Reason.RATE_LIMITED,
    502: Reason.UNREACHABLE,
    503: Reason.OVERLOADED,
    504: Reason.UNREACHABLE,
}
"""By status; every other one but 200 is a `bad_response`."""

REPEATED = frozenset((429, 502, 503, 504))
THE_REQUESTS_FAULT = frozenset((400, 413, 422))
"""Statuses that say nothing of the server's health."""

T = TypeVar("T")


class Failed(LanguageModelUnavailable):
    """One call failed. `again_after_s`: the least pause before it may be repeated; None: it may not."""

    def __init__(self, reason: Reason, *, again_after_s: float | None = None, blamed: bool = True) -> None:
        super().__init__(reason)
        self.again_after_s = again_after_s
        self.blamed = blamed


class Upstream:
    """The server, through one pooled HTTP client."""

    def __init__(self, http: httpx2.AsyncClient, max_response_bytes: int) -> None:
        self._http = http
        self._max_response_bytes = max_response_bytes

    async def stream(self, body: bytes, patience: Patience) -> AsyncGenerator[Piece, None]:
        """The pieces of a streamed completion as they come; raises `Failed`, also where the stream ends too soon."""
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
                raise Failed(Reason.BAD_RESPONSE)

    async def whole(self, body: bytes, patience: Patience) -> AsyncGenerator[Piece, None]:
        """A completion that is not streamed, as one piece."""
        async with self._asked("POST", "chat/completions", body, "application/json", patience) as read:
            answer = b"".join([arrived async for arrived in read])
        yield _understood(answer)

    async def models(self, patience: Patience) -> tuple[str, ...]:
        """The names of the models that the server has."""
        async with self._asked("GET", "models", None, "application/json", patience) as read:
            answer = b"".join([arrived async for arrived in read])
        try:
            return read_models(answer)
        except NotTheProtocol:
            raise Failed(Reason.BAD_RESPONSE) from None

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, body: bytes | None, media_type: str, patience: Patience
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The bytes of the answer, once its status and type are what they should be."""
        headers = {"Accept": media_type} | ({"Content-Type": "application/json"} if body is not None else {})
        request = self._http.build_request(method, path, content=body, headers=headers)
        try:
            response = await _within(patience, self._http.send(request, stream=True))
        except httpx2.RequestError:  # no connection, or one that broke before it said anything
            raise Failed(Reason.UNREACHABLE, again_after_s=0.0) from None
        try:
            async with aclosing(_arriving(response, self._max_response_bytes, patience)) as read:
                await _refuse(response, media_type, read)
                yield read
        finally:
            await response.aclose()


async def _within(patience: Patience, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(patience.remaining_s()):
            return await work
    except TimeoutError:
        raise Failed(Reason.TIMEOUT, blamed=patience.blames_the_server()) from None


async def _arriving(response: httpx2.Response, max_bytes: int, patience: Patience) -> AsyncGenerator[bytes, None]:
    """The body as it comes, never decompressed (it was not asked for), and never more than `max_bytes`."""
    left = max_bytes
    async with aclosing(response.aiter_raw()) as raw:
        while True:
            try:
                arrived = await _within(patience, anext(raw, b""))
            except httpx2.RequestError:
                raise Failed(Reason.BAD_RESPONSE) from None
            if not arrived:
                return
            left -= len(arrived)
            if left < 0:
                raise Failed(Reason.TOO_LONG)
            yield arrived


async def _refuse(response: httpx2.Response, media_type: str, read: AsyncGenerator[bytes, None]) -> None:
    """Raise `Failed` unless this is a 200 of that type."""
    status = response.status_code
    if status == 400 and says_too_long(await _beginning(read)):
        raise Failed(Reason.TOO_LONG, blamed=False)
    if status != 200:
        raise Failed(
            REASONS.get(status, Reason.BAD_RESPONSE),
            again_after_s=_retry_after_s(response) if status in REPEATED else None,
            blamed=status not in THE_REQUESTS_FAULT,
        )
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != media_type:
        raise Failed(Reason.BAD_RESPONSE)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Failed(Reason.BAD_RESPONSE)


async def _beginning(read: AsyncGenerator[bytes, None]) -> bytes:
    beginning = b""
    async for arrived in read:
        beginning += arrived
        if len(beginning) >= MAX_REFUSAL_BYTES:
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
        raise Failed(Reason.TOO_LONG) from None


def _understood(data: bytes) -> Piece:
    try:
        return read_piece(data)
    except NotTheProtocol:
        raise Failed(Reason.BAD_RESPONSE) from None
