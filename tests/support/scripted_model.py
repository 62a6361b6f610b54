"""A fake language model with scripted replies, sent in small pieces. It records its messages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from frontdesk.deadline import Deadline
from frontdesk.responses.llm.port import ChatMessage, FailureReason, LanguageModelUnavailable

Messages = Sequence[ChatMessage]


@dataclass
class ScriptedModel:
    """`reply` returns the answer; the model fails after `fails_after` characters. `closed` counts ended answers."""

    reply: Callable[[Messages], str]
    fails_after: int | None = None
    asked: list[Messages] = field(default_factory=list)
    closed: int = 0
    piece: int = 7

    async def complete(self, messages: Messages, deadline: Deadline) -> AsyncGenerator[str, None]:
        self.asked.append(messages)
        text = self.reply(messages)
        try:
            for at in range(0, len(text), self.piece):
                if self.fails_after is not None and at >= self.fails_after:
                    raise LanguageModelUnavailable(FailureReason.UNREACHABLE)
                yield text[at : at + self.piece]
        finally:
            self.closed += 1


def reply_in_turn(*answers: str) -> ScriptedModel:
    """A model that returns the answers in turn and then repeats the last one."""
    waiting = list(answers)
    return ScriptedModel(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])
