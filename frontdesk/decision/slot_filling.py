"""Slot filling: the suggested actions with their arguments from the message (order, amount, date, address).

The taxonomy may list the slots of an action. Otherwise they follow from its name: an action with "refund" in its name
needs an order, an amount and a date. Values come from the masked message, so an order number is a placeholder until
the answer is returned. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from frontdesk.decision.values_asked_about import values_asked_about
from frontdesk.types import SuggestedAction

MAX_CHARACTERS = 8000
"""Characters that are searched. A customer's own part has at most 4,000, and placeholders lengthen it a little."""

MAX_ORDERS = 4
"""Most orders for which an action is repeated, and which a reply names. A longer list is for a person."""

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
# Bounded, and never begun within a number: otherwise "1.1.1.1" would take quadratic time.
_NUMBER = r"(?<![\d])(?<!\d[.,])(?:\d{1,3}(?:[ \u00a0]\d{3}){1,4}(?:[.,]\d{1,4})?|\d{1,12}(?:[.,]\d{1,6}){0,4})"
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
    """Return each action with the slots that `text` fills.

    A slot has the value that the message asks about (`values_asked_about.py`). If it asks about several orders, the
    action is repeated for each of them, up to `MAX_ORDERS`. If several values of another kind remain, the slot is left
    empty, because the choice would be a guess.

    `text` must be masked and neutralized (`MaskedText.neutralize`), so that typed placeholders fill no slot.
    """
    values: dict[str, tuple[str, ...]] = {}
    filled: list[SuggestedAction] = []
    for action in actions:
        slots = required_slots(action, needs)
        for slot in slots:
            if slot not in values:
                values[slot] = find_values(slot, text)
        single = {slot: values[slot][0] for slot in slots if len(values[slot]) == 1}
        orders = values["order"] if "order" in slots else ()
        if 1 < len(orders) <= MAX_ORDERS:
            filled += (_with_order(action, slots, single, order) for order in orders)
        else:
            filled.append(SuggestedAction(action, single))
    return tuple(filled)


def find_values(slot: str, text: str) -> tuple[str, ...]:
    """Return the values of a slot that `text` asks about; several if it does not say which."""
    return values_asked_about(text[:MAX_CHARACTERS], _SLOT_PATTERNS[slot])


def orders_to_name(text: str) -> tuple[str, ...]:
    """Return the placeholders of all orders that a reply to `text` names; none if there are more than `MAX_ORDERS`."""
    orders = find_values("order", text)
    return orders if len(orders) <= MAX_ORDERS else ()


def slots_with_values(slots: Sequence[str], text: str) -> frozenset[str]:
    """Return the slots of which `text` contains any value. They are not missing."""
    return frozenset(slot for slot in slots if _SLOT_PATTERNS[slot].search(text[:MAX_CHARACTERS]))


def required_slots(action: str, needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The slots of an action, in order: from `needs` of the taxonomy if listed there, else from the action's name."""
    if action in needs:
        return needs[action]
    parts = action.split("_")
    if parts[-1] in _TEXT_ONLY_SUFFIXES:
        return ()
    return tuple(dict.fromkeys(slot for part in parts for slot in _SLOTS_BY_WORD.get(part, ())))


def _with_order(action: str, slots: Sequence[str], single: Mapping[str, str], order: str) -> SuggestedAction:
    values = {**single, "order": order}
    return SuggestedAction(action, {slot: values[slot] for slot in slots if slot in values})
