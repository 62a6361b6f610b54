"""What a language model is to the writer: messages in, pieces of text out, or one reason why there are none.

Knows nothing of HTTP. Prompts stay out of every `repr` and every error, because both end in logs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from frontdesk.deadline import Deadline


class FailureReason(StrEnum):
    """Why a language model gave no answer: stable names for metrics and for `Reply.fallback`."""

    TIMEOUT = "timeout"
    """Nothing in time: no connection, no first token, a stream that stalled, or the deadline itself."""
    OVERLOADED = "overloaded"
    """Too many completions in this process just now, or the server says so of itself."""
    UNAUTHORIZED = "unauthorized"
    BAD_RESPONSE = "bad_response"
    """Not what the protocol says, or an answer that broke off."""
    UNREACHABLE = "unreachable"
    OPEN_CIRCUIT = "open_circuit"
    """It failed so often that it is not asked for some seconds."""
    TOO_LONG = "too_long"
    """The prompt does not fit the model, or the answer its limits."""
    RATE_LIMITED = "rate_limited"


class LanguageModelUnavailable(Exception):
    """There is no (whole) answer, and `reason` is all that is told of it."""

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(f"The language model gave no answer: {reason.value}.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion; `estimated` where the server did not count them."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class LanguageModel(Protocol):
    """Closing the generator (`contextlib.aclosing`) stops the generation, also at the server.

    Raises:
        LanguageModelUnavailable: before the first piece or after any: what came before is not a whole answer then.
    """

    def complete(self, messages: Sequence[ChatMessage], deadline: Deadline) -> AsyncGenerator[str, None]: ...
