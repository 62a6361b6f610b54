"""Encode requests and parse responses of OpenAI's chat completions protocol.

Only the fields in use are parsed, and they must have the right type; others are ignored. pydantic rejects nesting that
is too deep and text that is not UTF-8. Independent of connections.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from frontdesk.responses.llm.port import ChatMessage, Usage

_PROMPT_TOO_LONG_CODES = ("context_length_exceeded", "exceed_context_size_error")
"""Error codes of OpenAI (also vLLM) and of llama.cpp."""


class MalformedResponse(Exception):
    """The response is not a chat completion. The error never contains the response."""


@dataclass(frozen=True, slots=True)
class CompletionChunk:
    """Content of one event of a stream, or of a whole response."""

    text: str
    finish_reason: str | None
    usage: Usage | None


class _MessageText(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _MessageText = _MessageText()
    message: _MessageText = _MessageText()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _ChatCompletion(BaseModel):
    choices: list[_Choice] = Field(max_length=1)
    usage: _Usage | None = None


class _ModelEntry(BaseModel):
    id: str


class _ModelList(BaseModel):
    data: list[_ModelEntry]


def request_body(
    messages: Sequence[ChatMessage],
    *,
    model: str,
    stream: bool,
    temperature: float | None,
    max_tokens: int,
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"],
) -> bytes:
    """Encode a request as JSON. It requests the usage, which streams contain on request only."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        max_tokens_field: max_tokens,
    }
    if temperature is not None:
        body["temperature"] = temperature
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body).encode()


def parse_chunk(data: bytes) -> CompletionChunk:
    """Parse one event, or one whole response.

    Raises:
        MalformedResponse: it is anything else, such as an error in the middle of a stream.
    """
    try:
        chat = _ChatCompletion.model_validate_json(data)
    except ValidationError:
        raise MalformedResponse from None
    usage = None
    if chat.usage is not None:
        usage = Usage(chat.usage.prompt_tokens, chat.usage.completion_tokens, estimated=False)
    if not chat.choices:
        return CompletionChunk("", None, usage)
    (choice,) = chat.choices
    return CompletionChunk(choice.delta.content or choice.message.content or "", choice.finish_reason, usage)


def parse_models(data: bytes) -> tuple[str, ...]:
    """Parse the names of a server's models from `GET /models`; raises `MalformedResponse`."""
    try:
        return tuple(model.id for model in _ModelList.model_validate_json(data).data)
    except ValidationError:
        raise MalformedResponse from None


def is_prompt_too_long(body: bytes) -> bool:
    """Whether the body of an error response (400) says that the prompt does not fit the model."""
    return any(code.encode() in body for code in _PROMPT_TOO_LONG_CODES)
