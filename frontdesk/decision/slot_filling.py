"""Slot filling: the suggested actions with their arguments from the message (order, amount, date, address).

The taxonomy may list the slots of an action. Otherwise they follow from its name: an action with "refund" in its name
needs an order, an amount and a date. Values come from the masked message, so an order number is a placeholder until
the answer is returned. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from frontdesk.types import SuggestedAction

_SLOTS_BY_WORD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "order": ("order", "date"),
        "tracking": ("order",),
        "return": ("order", "date"),
        "refund": ("order", "amount", "date"),
        "payment": ("order", "amount", "date"),
        "invoice": ("order", "date"),
        "address": ("order", "address"),
        "complaint": ("order", "amount", "date"),
        "newsletter": ("email",),
        "account": ("account", "email"),
        "identity": ("account", "email"),
        "reset": ("email",),
    }
)
"""Word in the name of an action -> slots that it needs."""

# Last words in the names of actions that only send a text and need no slots.
_TEXT_ONLY_SUFFIXES = ("guide", "overview", "terms", "details")
_CURRENCY = r"(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|JPY|euros?|dollars?|pounds?|kronor)"
_NUMBER = r"(?<!\d)(?:\d{1,3}(?:[ \u00a0]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SLOT_PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "order": re.compile(r"\[ORDER_\d+\]"),
        "account": re.compile(r"\[ACCOUNT_\d+\]"),
        "email": re.compile(r"\[EMAIL_\d+\]"),
        "address": re.compile(r"\[ADDRESS_\d+\]"),
        "amount": re.compile(rf"[€$£] ?(?:{_NUMBER})|(?:{_NUMBER}) ?(?:[€£$]|{_CURRENCY}\b)", re.IGNORECASE),
        "date": re.compile(
            rf"\b\d{{4}}-\d\d?-\d\d?\b|\b\d\d?[./]\d\d?[./]\d{{2,4}}\b"
            rf"|\b\d\d?(?:st|nd|rd|th)? (?:of )?{_MONTH}\b(?: \d{{4}})?"
            rf"|\b{_MONTH} \d\d?(?:st|nd|rd|th)?\b(?:,? \d{{4}})?",
            re.IGNORECASE,
        ),
    }
)


def fill_slots(actions: Sequence[str], text: str, needs: Mapping[str, tuple[str, ...]]) -> tuple[SuggestedAction, ...]:
    """Return each action with the slots that `text` fills; the first value of each kind is used.

    `text` must be masked and neutralized (`MaskedText.neutralize`), so that typed placeholders fill no slot.
    """
    return tuple(SuggestedAction(action, _find_slot_values(required_slots(action, needs), text)) for action in actions)


def required_slots(action: str, needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The slots of an action, in order: from `needs` of the taxonomy if listed there, else from the action's name."""
    if action in needs:
        return needs[action]
    parts = action.split("_")
    if parts[-1] in _TEXT_ONLY_SUFFIXES:
        return ()
    return tuple(dict.fromkeys(slot for part in parts for slot in _SLOTS_BY_WORD.get(part, ())))


def _find_slot_values(slots: Sequence[str], text: str) -> dict[str, str]:
    return {slot: match[0] for slot in slots if (match := _SLOT_PATTERNS[slot].search(text))}
