"""Check that the reply contains only placeholders of the customer's message, of kinds that the policy allows.

Orders must be those that the message asks about: all of them or none.

An original value is only restored if it looks like its kind: an "order number" that consists of words could carry a
sentence into the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.decision.slot_filling import find_values
from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.types import MaskedText

_PLACEHOLDER = re.compile(r"\[([A-Z]+)_\d{1,3}\]")
_FILL_IN_FIELD = re.compile(
    r"[\[\]{}<>]|_{3,}|\b(?:ORDER|EMAIL|PHONE|NAME|CARD|IBAN|ADDRESS|ACCOUNT|URL|IP|ID|SECRET)_\d+\b|\bX{3,}\b",
)
"""Brackets without a valid placeholder, and blanks such as ____, are fields that must still be filled in."""

_MAX_ORIGINAL_LENGTH = 24
_MAX_WORD_LENGTH = 5
_LETTERS = re.compile(r"[^\W\d_]+")


def placeholders(draft: Draft) -> Iterator[ReplyDefect]:
    """Find placeholders that are invented or not allowed, and fields to be filled in."""
    for match in _PLACEHOLDER.finditer(draft.text):
        if not is_allowed_placeholder(match[0], draft.message, draft.policy):
            yield ReplyDefect("placeholders", f"{match[1]} placeholders of this kind or number may not be used")
    yield from _orders_not_asked_about(draft)
    if _FILL_IN_FIELD.search(_PLACEHOLDER.sub("", draft.text)):
        yield ReplyDefect("placeholders", "it holds something to be filled in")


def _orders_not_asked_about(draft: Draft) -> Iterator[ReplyDefect]:
    """Find orders that are settled, and a reply that names only some of the orders in question."""
    named = {match[0] for match in _PLACEHOLDER.finditer(draft.text) if match[1] == "ORDER"}
    if not named:
        return
    asked_about = set(find_values("order", draft.message.neutralize(draft.message.text)))
    if named - asked_about:
        yield ReplyDefect("placeholders", "it names an order that the customer does not ask about")
    elif draft.is_complete and asked_about - named:
        yield ReplyDefect("placeholders", "it names only some of the orders that the customer asks about")


def is_allowed_placeholder(placeholder: str, message: MaskedText, policy: ReplyPolicy) -> bool:
    """Whether a reply may contain this placeholder and, after it is restored, the customer's original text."""
    match = _PLACEHOLDER.fullmatch(placeholder)
    original = message.originals.get(placeholder)
    if match is None or original is None or match[1] not in policy.allowed_placeholders:
        return False
    return len(original) <= _MAX_ORIGINAL_LENGTH and all(
        len(word) <= _MAX_WORD_LENGTH for word in _LETTERS.findall(original)
    )
