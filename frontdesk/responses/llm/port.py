"""The port to a language model: messages in, text out, or one reason why there is no answer.

Prompts are left out of every `repr` and every error, because both are logged. Independent of HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from frontdesk.deadline import Deadline


class FailureReason(StrEnum):
    """Why a language model gave no answer. The values are stable: metrics and `Reply.fallback` contain them."""

    TIMEOUT = "timeout"
    """No connection or no first token in time, a stalled stream, or the caller's deadline."""
    OVERLOADED = "overloaded"
    """Too many concurrent completions in this process, or the server reports overload."""
    UNAUTHORIZED = "unauthorized"
    BAD_RESPONSE = "bad_response"
    """The response violates the protocol or is incomplete."""
    UNREACHABLE = "unreachable"
    OPEN_CIRCUIT = "open_circuit"
    """The circuit breaker is open after repeated failures."""
    TOO_LONG = "too_long"
    """The prompt does not fit the model, or the answer exceeds its limits."""
    RATE_LIMITED = "rate_limited"


class LanguageModelUnavailable(Exception):
    """There is no complete answer. `reason` is the only detail that the error contains."""

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(f"The language model gave no answer: {reason.value}.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion; `estimated` if the server did not count them."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class LanguageModel(Protocol):
    """Streams an answer. Closing the generator (`contextlib.aclosing`) stops the generation, also on the server.

    Raises:
        LanguageModelUnavailable: before or after the first text; the text so far is then incomplete.
    """

    def complete(self, messages: Sequence[ChatMessage], deadline: Deadline) -> AsyncGenerator[str, None]: ...
