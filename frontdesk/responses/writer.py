"""Replies without a language model: the knowledge passage itself, between a greeting and a closing line.

Everything here is still masked: a placeholder such as [ORDER_1] is restored by the pipeline, after the reply is
stored. Knows nothing of models, storage or the web.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
_BEFORE_A_QUESTION = "We have one question first."
_HAND_OVER = "A colleague from our team will take this over and reply to you personally."
_SIGNATURE = "Your support team"
_CLOSING = f"If anything is still open, just reply to this message.\n\n{_SIGNATURE}"

_ORDER = re.compile(r"\[ORDER_\d+\]")
_ABOUT_AN_ORDER = ("order", "refund", "invoice", "delivery", "payment")


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class TemplateWriter:
    """The `Writer` of `frontdesk/pipeline.py` that needs nothing but the passages.

    `today` says which passages hold (UTC by default).
    """

    knowledge: Knowledge
    today: Callable[[], date] = _today

    async def reply(
        self,
        text: MaskedText,
        understanding: Understanding,
        decision: Decision,
        deadline: Deadline,  # noqa: ARG002 - the port has it; a template needs no time
    ) -> Reply:
        """The decision's question, a note that a person takes over, or an answer from the passages."""
        greeting = _GREETINGS[understanding.sentiment.label]
        if decision.question is not None:
            return _compose(greeting, f"{_BEFORE_A_QUESTION} {decision.question}", _SIGNATURE)
        label = understanding.intent.label
        passages = self.knowledge.for_intent(label, self.today())
        if decision.action is Action.ESCALATE or not understanding.intent.in_scope or not passages:
            return _compose(greeting, _HAND_OVER, _SIGNATURE)
        body = "\n\n".join(passage.text for passage in passages)
        if (order := _ORDER.search(text.text)) and any(topic in label for topic in _ABOUT_AN_ORDER):
            body = f"About order {order.group()}: {body}"
        citations = tuple(Citation(passage.id, passage.title) for passage in passages)
        return _compose(greeting, body, _CLOSING, citations)


def _compose(greeting: str, body: str, end: str, citations: tuple[Citation, ...] = ()) -> Reply:
    return Reply("\n\n".join((greeting, body, end)), SOURCE, citations)
