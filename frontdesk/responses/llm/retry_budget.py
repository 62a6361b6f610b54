"""Limits of completions (concurrency, share of retries), and the price of their tokens.

Values and counters only; independent of HTTP and metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.responses.llm.port import ChatMessage, Usage

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for English text and byte-pair vocabularies; used only if the server does not count tokens."""


class ConcurrencyLimit:
    """At most `limit` concurrent completions. There is no queue, because waiting would only use up the deadline."""

    __slots__ = ("_free",)

    def __init__(self, limit: int) -> None:
        self._free = limit

    def try_acquire(self) -> bool:
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def release(self) -> None:
        self._free += 1


class RetryBudget:
    """One retry for every five requests; at most one retry is saved.

    So n requests make at most 1.2 n calls from the start, and 1.2 n + 1 in any later period, even if all calls fail:
    retries cannot double the load of an overloaded server (like the retry budgets of Finagle and gRPC).
    """

    REQUESTS_PER_RETRY = 5

    __slots__ = ("_requests",)

    def __init__(self) -> None:
        self._requests = 0

    def count_request(self) -> None:
        self._requests = min(self._requests + 1, self.REQUESTS_PER_RETRY)

    def take_retry(self) -> bool:
        if self._requests < self.REQUESTS_PER_RETRY:
            return False
        self._requests = 0
        return True


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Prices of 1,000 tokens, in the operator's currency."""

    input_per_1000: float
    output_per_1000: float

    def cost(self, usage: Usage) -> float:
        input_cost = usage.prompt_tokens * self.input_per_1000
        output_cost = usage.completion_tokens * self.output_per_1000
        return (input_cost + output_cost) / 1000


def estimate_usage(messages: Sequence[ChatMessage], output_characters: int) -> Usage:
    """Estimate tokens from the number of characters, rounded up."""
    input_characters = sum(len(message.content) for message in messages)
    return Usage(-(-input_characters // CHARACTERS_PER_TOKEN), -(-output_characters // CHARACTERS_PER_TOKEN), True)
