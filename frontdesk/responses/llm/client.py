"""Client for servers with OpenAI's chat completions: `complete` streams text or raises the reason of the failure.

    concurrency limit -> circuit breaker -> call (at most one retry, before the first token) -> text -> metrics

The concurrency limit, the circuit breaker and a retry budget protect requests from a failing server. Prompts, answers
and the key appear in no error, log or metric. `transport.py` makes the HTTP calls.
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
from frontdesk.responses.llm.retry_budget import ConcurrencyLimit, RetryBudget, TokenPrices, estimate_usage
from frontdesk.responses.llm.timeouts import CallTimer, TimeoutLimits
from frontdesk.responses.llm.transport import CallFailed, LlmTransport

__all__ = ["ChatMessage", "Completion", "FailureReason", "LanguageModelUnavailable", "OpenAiClient", "Usage"]

PAUSE_S = (0.05, 0.2)
"""Bounds of the pause before a retry; random, so that workers do not retry at the same time."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Parameters that all requests have in common."""

    model: str
    stream: bool
    temperature: float | None
    max_tokens: int
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"]


@dataclass(slots=True)
class _CompletionState:
    """Progress of one completion."""

    usage: Usage | None = None
    characters: int = 0
    first_token_s: float | None = None
    finish_reason: str | None = None


class Completion(AsyncGenerator[str, None]):
    """Text of a completion as it arrives. `usage` is set after the last text. Closing it stops the generation."""

    def __init__(self, texts: AsyncGenerator[str, None], state: _CompletionState) -> None:
        self._texts = texts
        self._state = state

    @property
    def usage(self) -> Usage | None:
        return self._state.usage

    async def asend(self, value: None) -> str:
        return await self._texts.asend(value)

    async def athrow(self, *args: Any) -> str:
        return await self._texts.athrow(*args)

    async def aclose(self) -> None:
        await self._texts.aclose()


class OpenAiClient:
    """The `LanguageModel` of the writer; one per process, used from one event loop."""

    def __init__(
        self,
        upstream: LlmTransport,
        options: RequestOptions,
        timeouts: TimeoutLimits,
        breaker: CircuitBreaker,
        concurrency: ConcurrencyLimit,
        prices: TokenPrices,
        metrics: LanguageModelMetrics,
    ) -> None:
        self._upstream = upstream
        self._options = options
        self._timeouts = timeouts
        self._breaker = breaker
        self._concurrency = concurrency
        self._prices = prices
        self._metrics = metrics
        self._retry_budget = RetryBudget()

    def complete(self, messages: Sequence[ChatMessage], deadline: Deadline) -> Completion:
        """Stream the model's answer to `messages`. Nothing is sent before the first iteration.

        Raises:
            LanguageModelUnavailable: from the iteration, at the latest at the deadline.
        """
        state = _CompletionState()
        return Completion(self._complete_within_limit(messages, deadline, state), state)

    async def models(self, deadline: Deadline) -> tuple[str, ...]:
        """The names of the server's models, regardless of the circuit breaker; for `frontdesk doctor`."""
        return await self._upstream.models(CallTimer(self._timeouts, deadline, deadline))

    async def close(self) -> None:
        await self._upstream.close()

    async def _complete_within_limit(
        self, messages: Sequence[ChatMessage], deadline: Deadline, state: _CompletionState
    ) -> AsyncGenerator[str, None]:
        """Stream within the concurrency limit, and record the outcome in the metrics."""
        outcome = "abandoned"
        if not self._concurrency.try_acquire():
            self._metrics.observe_completion(FailureReason.OVERLOADED, None)
            raise LanguageModelUnavailable(FailureReason.OVERLOADED)
        try:
            async with aclosing(self._call_with_retry(messages, deadline, state)) as texts:
                async for text in texts:
                    yield text
            outcome = "answered"
        except CallFailed as failure:
            outcome = failure.reason
            raise LanguageModelUnavailable(failure.reason) from None
        finally:
            self._concurrency.release()
            self._record_metrics(messages, state, outcome)

    def _record_metrics(self, messages: Sequence[ChatMessage], state: _CompletionState, outcome: str) -> None:
        self._metrics.observe_completion(outcome, state.first_token_s)
        if state.usage is None and state.characters:
            state.usage = estimate_usage(messages, state.characters)
        if (usage := state.usage) is not None:
            cost = self._prices.cost(usage)
            self._metrics.observe_tokens(
                usage.prompt_tokens, usage.completion_tokens, estimated=usage.estimated, cost=cost
            )

    async def _call_with_retry(
        self, messages: Sequence[ChatMessage], deadline: Deadline, state: _CompletionState
    ) -> AsyncGenerator[str, None]:
        """The text of the first call that succeeds. Raises `CallFailed`, also if the answer is truncated."""
        total = Deadline.after(self._timeouts.total_s)
        options = self._options
        body = request_body(
            messages,
            model=options.model,
            stream=options.stream,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            max_tokens_field=options.max_tokens_field,
        )
        self._retry_budget.count_request()
        while True:
            timer = CallTimer(self._timeouts, total, deadline)
            try:
                async with aclosing(self._call(body, timer)) as chunks:
                    async for chunk in chunks:
                        state.usage = chunk.usage or state.usage
                        state.finish_reason = chunk.finish_reason or state.finish_reason
                        if chunk.text:
                            state.characters += len(chunk.text)
                            state.first_token_s = timer.first_token_s
                            yield chunk.text
            except CallFailed as failure:
                await self._wait_before_retry(failure, min(total.remaining_s(), deadline.remaining_s()))
            else:
                _check_finish_reason(state)
                return

    async def _call(self, body: bytes, timer: CallTimer) -> AsyncGenerator[CompletionChunk, None]:
        """Make one call and report its result to the circuit breaker, except if the caller closes it."""
        permit = self._breaker.admit()
        if permit is None:
            raise CallFailed(FailureReason.OPEN_CIRCUIT)
        self._metrics.observe_call()
        record_outcome = self._breaker.discard
        request = self._upstream.stream if self._options.stream else self._upstream.fetch
        try:
            async with aclosing(request(body, timer)) as chunks:
                async for chunk in chunks:
                    if chunk.text:
                        timer.record_text()
                    yield chunk
                    if chunk.text:
                        timer.restart_stall_timeout()
            if timer.first_token_s is None:
                raise CallFailed(FailureReason.BAD_RESPONSE)
            record_outcome = partial(self._breaker.record_success, seconds=timer.first_token_s)
        except CallFailed as failure:
            if failure.server_at_fault:
                record_outcome = self._breaker.record_failure
            raise
        finally:
            record_outcome(permit)

    async def _wait_before_retry(self, failure: CallFailed, remaining_s: float) -> None:
        """Wait before a retry. Raises `failure` if no retry is allowed or the time left is too short."""
        if failure.retry_after_s is None:
            raise failure
        pause_s = failure.retry_after_s + random.uniform(*PAUSE_S)  # noqa: S311 - jitter, no secret
        if pause_s >= remaining_s or not self._retry_budget.take_retry():
            raise failure
        await asyncio.sleep(pause_s)


def _check_finish_reason(state: _CompletionState) -> None:
    """Raise `CallFailed` for an answer that was cut off, which must not be sent."""
    if state.finish_reason == "length":
        raise CallFailed(FailureReason.TOO_LONG)
    if state.finish_reason == "content_filter":
        raise CallFailed(FailureReason.BAD_RESPONSE)
