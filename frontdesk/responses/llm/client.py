"""A client for any server that speaks OpenAI's chat completions: `complete` streams text, or says why there is none.

    a place -> the breaker -> one call (at most one more, before the first token) -> pieces of text -> counted

A breaker, a retry budget and a number of places keep a sick server from taking requests down with it. Prompts, answers
and the key are in no error, no log and no metric. Knows nothing of what prompts say, nor of HTTP (`transport.py`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from frontdesk.circuit_breaker import CircuitBreaker
from frontdesk.deadline import Deadline
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.chat_completions import CompletionChunk, request_body
from frontdesk.responses.llm.port import ChatMessage, FailureReason, LanguageModelUnavailable, Usage
from frontdesk.responses.llm.retry_budget import ConcurrencyLimit, Prices, RetryBudget, estimate_usage
from frontdesk.responses.llm.timeouts import CallTimer, TimeoutLimits
from frontdesk.responses.llm.transport import CallFailed, Upstream

__all__ = ["ChatMessage", "Completion", "FailureReason", "LanguageModelUnavailable", "OpenAiClient", "Usage"]

PAUSE_S = (0.05, 0.2)
"""Before a call is repeated; drawn at random, so that workers do not come back together."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What each request says beside its messages."""

    model: str
    stream: bool
    temperature: float | None
    max_tokens: int
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"]


@dataclass(slots=True)
class _Tally:
    """What is known of one completion so far."""

    usage: Usage | None = None
    characters: int = 0
    first_token_s: float | None = None
    finish_reason: str | None = None


class Completion(AsyncGenerator[str, None]):
    """Pieces of text as they come; `usage` is known once the last has come. Closing it stops the generation."""

    def __init__(self, pieces: AsyncGenerator[str, None], tally: _Tally) -> None:
        self._pieces = pieces
        self._tally = tally

    @property
    def usage(self) -> Usage | None:
        return self._tally.usage

    async def asend(self, value: None) -> str:
        return await self._pieces.asend(value)

    async def athrow(self, *args: Any) -> str:
        return await self._pieces.athrow(*args)

    async def aclose(self) -> None:
        await self._pieces.aclose()


class OpenAiClient:
    """The `LanguageModel` of the writer; one a process, used from one event loop."""

    def __init__(
        self,
        upstream: Upstream,
        dialect: RequestOptions,
        waits: TimeoutLimits,
        breaker: CircuitBreaker,
        places: ConcurrencyLimit,
        prices: Prices,
        metrics: LanguageModelMetrics,
    ) -> None:
        self._upstream = upstream
        self._dialect = dialect
        self._waits = waits
        self._breaker = breaker
        self._places = places
        self._prices = prices
        self._metrics = metrics
        self._retries = RetryBudget()

    def complete(self, messages: Sequence[ChatMessage], deadline: Deadline) -> Completion:
        """The model's answer to `messages`; nothing happens before its first piece is asked for.

        Raises:
            LanguageModelUnavailable: from the iteration, at the latest at the deadline.
        """
        tally = _Tally()
        return Completion(self._counted(messages, deadline, tally), tally)

    async def models(self, deadline: Deadline) -> tuple[str, ...]:
        """The names of the models that the server has, whatever the breaker thinks; for `frontdesk doctor`."""
        return await self._upstream.models(CallTimer(self._waits, deadline, deadline))

    async def close(self) -> None:
        await self._upstream.close()

    async def _counted(
        self, messages: Sequence[ChatMessage], deadline: Deadline, tally: _Tally
    ) -> AsyncGenerator[str, None]:
        """Take a place, and however it ends give it back and count what came of it."""
        outcome = "abandoned"
        if not self._places.try_acquire():
            self._metrics.observe_completion(FailureReason.OVERLOADED, None)
            raise LanguageModelUnavailable(FailureReason.OVERLOADED)
        try:
            async with aclosing(self._answered(messages, deadline, tally)) as texts:
                async for text in texts:
                    yield text
            outcome = "answered"
        except CallFailed as failed:
            outcome = failed.reason
            raise LanguageModelUnavailable(failed.reason) from None
        finally:
            self._places.release()
            self._count(messages, tally, outcome)

    def _count(self, messages: Sequence[ChatMessage], tally: _Tally, outcome: str) -> None:
        self._metrics.observe_completion(outcome, tally.first_token_s)
        if tally.usage is None and tally.characters:
            tally.usage = estimate_usage(messages, tally.characters)
        if (usage := tally.usage) is not None:
            cost = self._prices.cost(usage)
            self._metrics.observe_tokens(
                usage.prompt_tokens, usage.completion_tokens, estimated=usage.estimated, cost=cost
            )

    async def _answered(
        self, messages: Sequence[ChatMessage], deadline: Deadline, tally: _Tally
    ) -> AsyncGenerator[str, None]:
        """The text of the first call that does not fail, whole, or `CallFailed`."""
        fetch = Deadline.after(self._waits.total_s)
        dialect = self._dialect
        body = request_body(
            messages,
            model=dialect.model,
            stream=dialect.stream,
            temperature=dialect.temperature,
            max_tokens=dialect.max_tokens,
            max_tokens_field=dialect.max_tokens_field,
        )
        self._retries.count_request()
        while True:
            patience = CallTimer(self._waits, fetch, deadline)
            try:
                async with aclosing(self._called(body, patience)) as pieces:
                    async for piece in pieces:
                        tally.usage = piece.usage or tally.usage
                        tally.finish_reason = piece.finish_reason or tally.finish_reason
                        if piece.text:
                            tally.characters += len(piece.text)
                            tally.first_token_s = patience.first_token_s
                            yield piece.text
            except CallFailed as failed:
                await self._pause(failed, min(fetch.remaining_s(), deadline.remaining_s()))
            else:
                _check_end(tally)
                return

    async def _called(self, body: bytes, patience: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """One call, and what the breaker learns of it: nothing where its caller goes away."""
        ticket = self._breaker.admit()
        if ticket is None:
            raise CallFailed(FailureReason.OPEN_CIRCUIT)
        self._metrics.observe_call()
        learn = self._breaker.discard
        ask = self._upstream.stream if self._dialect.stream else self._upstream.fetch
        try:
            async with aclosing(ask(body, patience)) as pieces:
                async for piece in pieces:
                    if piece.text:
                        patience.record_text()
                    yield piece
                    if piece.text:
                        patience.restart_stall_timeout()
            if patience.first_token_s is None:
                raise CallFailed(FailureReason.BAD_RESPONSE)
            learn = partial(self._breaker.record_success, seconds=patience.first_token_s)
        except CallFailed as failed:
            if failed.server_at_fault:
                learn = self._breaker.record_failure
            raise
        finally:
            learn(ticket)

    async def _pause(self, failed: CallFailed, remaining_s: float) -> None:
        """Wait before the call is repeated, or raise `failed` where it may not be, or where there is no time left."""
        if failed.retry_after_s is None:
            raise failed
        pause_s = failed.retry_after_s + random.uniform(*PAUSE_S)  # noqa: S311 - jitter, no secret
        if pause_s >= remaining_s or not self._retries.take_retry():
            raise failed
        await asyncio.sleep(pause_s)


def _check_end(tally: _Tally) -> None:
    """What was cut off is not to be sent to anybody."""
    if tally.finish_reason == "length":
        raise CallFailed(FailureReason.TOO_LONG)
    if tally.finish_reason == "content_filter":
        raise CallFailed(FailureReason.BAD_RESPONSE)
