"""What every check is given, and what it gives back. A check is a function `(Draft) -> Iterator[Finding]`, and pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from frontdesk.responses.knowledge_base.articles import Passage
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.types import MaskedText


@dataclass(frozen=True, slots=True)
class Draft:
    """The body of a reply as a language model wrote it, still masked, and what it is judged by.

    `instructions` is the system message without any passage; `canary` a word in it that means nothing. `is_complete` is
    False for the first sentences of a reply that is still being written. `unattended` replies are sent without a person
    who reads them before.
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
        """What may be said, title and text of each passage."""
        return tuple(f"{passage.title}\n{passage.text}" for passage in self.passages)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a reply: the check's name, and what to tell the model and the agent."""

    check: str
    reason: str
