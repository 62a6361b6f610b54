"""Input and output of the checks. A check is a pure function `(Draft) -> Iterator[ReplyDefect]`."""

from __future__ import annotations

from dataclasses import dataclass, field

from frontdesk.responses.knowledge_base.articles import Passage
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.types import MaskedText


@dataclass(frozen=True, slots=True)
class Draft:
    """The body of a reply from a language model, still masked, and what the checks compare it with.

    `instructions` is the system message without the passages; `canary` is a random word in it. `is_complete` is False
    for the first sentences of a reply that is still being generated. `unattended` replies are sent without human
    review.
    """

    text: str = field(repr=False)
    message: MaskedText
    passages: tuple[Passage, ...]
    language: str
    policy: ReplyPolicy
    unattended: bool
    instructions: str = field(default="", repr=False)
    canary: str = field(default="", repr=False)
    is_complete: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """The content that a reply may state: title and text of each passage."""
        return tuple(f"{passage.title}\n{passage.text}" for passage in self.passages)


@dataclass(frozen=True, slots=True)
class ReplyDefect:
    """A defect of a reply: the name of the check, and the reason, for the model and for the agent."""

    check: str
    reason: str
