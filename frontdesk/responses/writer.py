"""Replies without a language model: the knowledge passage itself, between a greeting and a closing line.

Everything here is still masked: a placeholder such as [ORDER_1] is restored by the pipeline, after the reply is
stored. Knows nothing of models, storage or the web.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from frontdesk.deadline import Deadline
from frontdesk.responses.knowledge import Knowledge
from frontdesk.types import Action, Citation, Decision, MaskedText, Reply, Understanding

SOURCE = "template"

_GREETINGS = {
    "negative": "Hello, we are sorry for the trouble.",
    "neutral": "Hello, thank you for your message.",
    "positive": "Hello, and thank you for your kind words.",
}
_HAND_OVER = "A colleague from our team will take this over and reply to you personally."
_SIGNATURE = "Your support team"
_CLOSING = f"If anything is still open, just reply to this message.\n\n{_SIGNATURE}"

_ORDER = re.compile(r"\[ORDER_\d+\]")
_ABOUT_AN_ORDER = ("order", "refund", "invoice", "delivery", "payment")

# "where an order is, or for its tracking": the first clause says enough. An enumeration (", x, or y") is no clause.
_SECOND_CLAUSE = re.compile(r"^([^,]+?)(?:, (?:or|and) | (?:or|and) (?:asks|wants) ).*")
_INDIRECT_QUESTION = re.compile(r"(?:how|if|under|until|what|when|where|whether|which|who|why)\b")


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class TemplateWriter:
    """The `Writer` of `frontdesk/pipeline.py` that needs nothing but the passages.

    `descriptions` holds the taxonomy's sentence on each intent, `today` says which passages hold (UTC by default).
    """

    knowledge: Knowledge
    descriptions: Mapping[str, str]
    today: Callable[[], date] = _today

    async def reply(
        self,
        text: MaskedText,
        understanding: Understanding,
        decision: Decision,
        deadline: Deadline,  # noqa: ARG002 - the port has it; a template needs no time
    ) -> Reply:
        """A question, a note that a person takes over, or an answer from the passages, by the decision."""
        greeting = _GREETINGS[understanding.sentiment.label]
        if decision.action is Action.CLARIFY:
            return _compose(greeting, self._question(understanding.plausible), _SIGNATURE)
        label = understanding.intent.label
        passages = self.knowledge.for_intent(label, self.today())
        if decision.action is Action.ESCALATE or not understanding.intent.in_scope or not passages:
            return _compose(greeting, _HAND_OVER, _SIGNATURE)
        body = "\n\n".join(passage.text for passage in passages)
        if (order := _ORDER.search(text.text)) and any(topic in label for topic in _ABOUT_AN_ORDER):
            body = f"About order {order.group()}: {body}"
        citations = tuple(Citation(passage.id, passage.title) for passage in passages)
        return _compose(greeting, body, _CLOSING, citations)

    def _question(self, labels: tuple[str, ...]) -> str:
        wishes = [wish(label, self.descriptions.get(label, "")) for label in labels]
        return f"So that we get it right: do you want {', or '.join(wishes)}?"


def wish(label: str, description: str) -> str:
    """What somebody with this intent wants, in words that continue "do you want ...".

    Taken from the first clause of a taxonomy description that begins "The customer wants ..." or "The customer
    asks ..."; of any other description, or none, only the label is left.
    """
    verb, _, rest = description.removeprefix("The customer ").rstrip(". ").partition(" ")
    rest = _SECOND_CLAUSE.sub(r"\1", rest)
    if verb == "wants" and rest:
        return rest
    if verb == "asks" and rest:
        return f"to {'know' if _INDIRECT_QUESTION.match(rest) else 'ask'} {rest}"
    return f"help with “{label.replace('_', ' ')}”"


def _compose(greeting: str, body: str, end: str, citations: tuple[Citation, ...] = ()) -> Reply:
    return Reply("\n\n".join((greeting, body, end)), SOURCE, citations)
