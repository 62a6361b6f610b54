"""Dates and amounts of money: not personal, and they say much about what the customer wants. They are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.security.masking.spans import END, NUMBER, Found

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:\d{4}|\d\d)"
_DATE = "|".join(
    rf"(?:{_DAY}{by}{_MONTH}|{_MONTH}{by}{_DAY}){by}{_YEAR}|(?:19|20)\d\d{by}{_MONTH}{by}{_DAY}"
    for by in (r"\.", "/", "-")
)
_SIGNS = "$€£¥₹"
CODES = "EUR|USD|GBP|CHF|JPY|INR|AUD|CAD|SEK|NOK|DKK|PLN"
_CURRENCY = rf"(?:[{_SIGNS}]|(?:{CODES}|euros?|dollars?|pounds?|bucks|quid))"
_CURRENCY_BEFORE = re.compile(rf"(?:[{_SIGNS}] ?|\b(?:{CODES}) )\Z", re.IGNORECASE)
_WHOLE = r"(?:\d{1,3}(?:[.,' ]\d{3}){1,4}(?!\d)|\d++)(?:[.,]\d{1,2})?"
_FREE = rf"{END}(?!-[^\W_])"  # nothing hangs on it, or keeping it could part a reference in two
_AMOUNT = re.compile(rf"{_WHOLE}{_FREE}")
_KEPT = re.compile(
    rf"(?<!\d[./-])(?:{_DATE})(?:-(?:{_DATE}))?{_FREE}(?![./]\d)"
    rf"|{_WHOLE} ?{_CURRENCY}{_FREE}(?! ?\d)"
    rf"|(?<!\d[.,])\d++(?:,\d{{3}}){{0,4}}[.,]\d\d{_FREE}(?![.,]\d)",
    re.IGNORECASE,
)


def kept_at(text: str, start: int) -> int:
    """Where the date or amount ends whose number starts at `start`; -1 where none does."""
    currency = _CURRENCY_BEFORE.search(text, max(0, start - 4), start)
    found = (currency and _AMOUNT.match(text, start)) or _KEPT.match(text, start)
    return found.end() if found else -1


def kept(text: str) -> Iterator[Found]:
    """Dates and amounts, a currency before the number included: no later kind may take it away."""
    done = 0
    for number in NUMBER.finditer(text):
        start = number.start()
        if start < done:
            continue
        currency = _CURRENCY_BEFORE.search(text, max(0, start - 4), start)
        found = (currency and _AMOUNT.match(text, start)) or _KEPT.match(text, start)
        if found:
            done = found.end()
            yield currency.start() if currency else start, done, ""
