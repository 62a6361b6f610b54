"""What follows from the act of a message that is no request: an automated mail, or a mail without text of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from frontdesk.types import Act, MaskedText, Understanding

_NO_TEXT = MaskedText("")
_URGENCY = "low"


@dataclass(frozen=True, slots=True)
class PolicyInputs:
    """What priority and decision are computed from: the models' output, the masked text, the urgency of the intent."""

    understanding: Understanding
    text: MaskedText
    urgency: str


def select_policy_inputs(act: Act, understanding: Understanding, text: MaskedText, urgency: str) -> PolicyInputs:
    """Return the inputs unchanged for a request.

    Other messages have no intent: the label stays the best guess, but is out of scope. Their text adds no points, and
    their urgency is low.
    """
    if act is Act.REQUEST:
        return PolicyInputs(understanding, text, urgency)
    intent = replace(understanding.intent, in_scope=False)
    return PolicyInputs(replace(understanding, intent=intent), _NO_TEXT, _URGENCY)
