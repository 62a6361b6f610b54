"""A placeholder may be spoken where the message holds it and the policy lets its kind be spoken; nothing invented.

An original is only put back where it looks like what it stands for: an "order number" made of words could carry a
sentence into the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.types import MaskedText

_TYPED = re.compile(r"\[([A-Z]+)_\d{1,3}\]")
_SUSPECT = re.compile(
    r"[\[\]{}<>]|_{3,}|\b(?:ORDER|EMAIL|PHONE|NAME|CARD|IBAN|ADDRESS|ACCOUNT|URL|IP|ID|SECRET)_\d+\b|\bX{3,}\b",
)
"""Brackets that hold no placeholder of ours hold something to be filled in, as do blanks to write on."""

_LONGEST_SPOKEN = 24
_LONGEST_WORD = 5
_LETTERS = re.compile(r"[^\W\d_]+")


def placeholders(draft: Draft) -> Iterator[Finding]:
    """Placeholders that were invented or may not be spoken, and what only looks like one."""
    for found in _TYPED.finditer(draft.text):
        if not is_allowed_placeholder(found[0], draft.message, draft.policy):
            yield Finding("placeholders", f"{found[1]} placeholders of this kind or number may not be used")
    if _SUSPECT.search(_TYPED.sub("", draft.text)):
        yield Finding("placeholders", "it holds something to be filled in")


def is_allowed_placeholder(placeholder: str, message: MaskedText, policy: ReplyPolicy) -> bool:
    """May a reply hold this placeholder, and so, once it is restored, what the customer wrote there?"""
    kind = _TYPED.fullmatch(placeholder)
    original = message.originals.get(placeholder)
    if kind is None or original is None or kind[1] not in policy.allowed_placeholders:
        return False
    return len(original) <= _LONGEST_SPOKEN and all(
        len(letters) <= _LONGEST_WORD for letters in _LETTERS.findall(original)
    )
