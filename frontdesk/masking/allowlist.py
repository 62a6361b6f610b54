"""Dates, timestamps, coordinates and amounts of money, which are not masked: they are relevant and not personal.

"12/03/2026"    "2024-11-03T09:14:55.123+01:00"    "48.858370, 2.294481"    "1.234,50 EUR"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.spans import END, NUMBER, Span

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:\d{4}|\d\d)"
_DATE = "|".join(
    rf"(?:{_DAY}{separator}{_MONTH}|{_MONTH}{separator}{_DAY}){separator}{_YEAR}|(?:19|20)\d\d{separator}{_MONTH}{separator}{_DAY}"
    for separator in (r"\.", "/", "-")
)
_CLOCK = r"[0-2]?\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?"
_ZONE = r"(?: ?Z|[ ]?[+-](?:0\d|1[0-4]):?[0-5]\d(?![ ./()-]{0,3}\d))?"
_DAY_OF_YEAR = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIMESTAMP = (
    rf"{_DAY_OF_YEAR}(?:(?:T|, ?| ){_CLOCK}|T[0-2]\d){_ZONE}"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T[0-2]\d[0-5]\d(?:[0-6]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{4})?"
)
"""ISO 8601, also with a space instead of the "T"."""
_DEGREES = r"(?:1[0-7]\d|180|[1-9]?\d)\.\d{4,8}(?:°|(?!\d))"
_COORDINATES = rf"{_DEGREES}(?: ?[NS])?(?:[ ]?[,;/|][ ]?|[ ])[+-]?{_DEGREES}(?: ?[EWO](?![^\W_]))?"
_COORDINATE_BEFORE = re.compile(
    r"(?<![^\W_])(?:lat|latitude|lon|lng|long|longitude|breite|breitengrad|länge|längengrad)[\"']?[ :=]{1,3}[+-]?\Z",
    re.IGNORECASE,
)
_COORDINATE = re.compile(rf"{_DEGREES}(?![^\W_])")
_COORDINATE_LABEL = re.compile(r"lat|lon|lng|breite|länge", re.IGNORECASE)
_SIGNS = "$€£¥₹"
CURRENCY_CODES = "EUR|USD|GBP|CHF|JPY|INR|AUD|CAD|SEK|NOK|DKK|PLN"
_CURRENCY = rf"(?:[{_SIGNS}]|(?:{CURRENCY_CODES}|euros?|dollars?|pounds?|bucks|quid))"
_CURRENCY_BEFORE = re.compile(rf"(?:[{_SIGNS}] ?|\b(?:{CURRENCY_CODES}) )\Z", re.IGNORECASE)
_AMOUNT_PREFIXES = frozenset(f" {_SIGNS}")
_WHOLE = r"(?:\d{1,3}(?:[.,' ]\d{3}){1,4}(?!\d)|\d++)(?:[.,]\d{1,2})?"
_NOT_ATTACHED = rf"{END}(?!-[^\W_])"  # not attached to a word: allowing such a part would split a reference
_AMOUNT = re.compile(rf"{_WHOLE}{_NOT_ATTACHED}")
_ALLOWED = re.compile(
    rf"(?<!\d[./-])(?:{_DATE})(?:[/-](?:{_DATE}))?{_NOT_ATTACHED}(?![./]\d)"
    rf"|{_WHOLE} ?{_CURRENCY}{_NOT_ATTACHED}(?! ?\d)"
    rf"|(?<!\d[.,])\d++(?:,\d{{3}}){{0,4}}[.,]\d\d{_NOT_ATTACHED}(?![.,]\d)",
    re.IGNORECASE,
)


_RARE = re.compile(
    rf"(?<!\d[./-])(?:{_TIMESTAMP})(?:[/-](?:{_TIMESTAMP}))?{_NOT_ATTACHED}"
    rf"|(?<![\d:])[0-2]?\d:[0-5]\d:[0-5]\d[.,]\d{{1,9}}{_NOT_ATTACHED}(?![:.,]\d)"
    rf"|(?<![\d.,]){_COORDINATES}{_NOT_ATTACHED}(?![.,]\d)",
    re.IGNORECASE,
)
_HAS_RARE = re.compile(r"\d(?:[Tt:]\d\d|\.\d{4})")
"""Every match of `_RARE` contains one of these, and few texts do."""


_DATE_AFTER_WORD = re.compile(r"[_-](?:19|20)\d\d")
_FILE_DATE = re.compile(
    rf"(?<=[_-])(?:{_DAY_OF_YEAR}|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?=(?:[_-][\w-]{{1,24}})?\.[a-z]{{2,5}}(?![\w@]))",
    re.IGNORECASE,
)


def _find_currency_before(text: str, start: int) -> re.Match[str] | None:
    """Match the currency directly before the number at `start`. Checking one character first avoids most searches."""
    if text[start - 1 : start] not in _AMOUNT_PREFIXES:
        return None
    return _CURRENCY_BEFORE.search(text, max(0, start - 4), start)


def date_or_amount_end(text: str, start: int) -> int:
    """Return the end of the date or amount whose number starts at `start`, or -1."""
    currency = _find_currency_before(text, start)
    match = (currency and _AMOUNT.match(text, start)) or _RARE.match(text, start) or _ALLOWED.match(text, start)
    return match.end() if match else -1


def _match_labelled_coordinate(text: str, start: int) -> re.Match[str] | None:
    """Match the coordinate at `start` if a word such as "lat" precedes it."""
    match = _COORDINATE.match(text, start)
    return match if match and _COORDINATE_BEFORE.search(text, max(0, start - 16), start) else None


def find_dates_in_file_names(text: str) -> Iterator[Span]:
    """Yield dates in file names such as "err_20240514.log", before they can match as order numbers."""
    if _DATE_AFTER_WORD.search(text):
        for match in _FILE_DATE.finditer(text):
            yield *match.span(), ""


def find_dates_and_amounts(text: str) -> Iterator[Span]:
    """Yield dates, coordinates and amounts, so that later finders do not mask them."""
    end = 0
    has_rare = _HAS_RARE.search(text) is not None
    has_label = has_rare and _COORDINATE_LABEL.search(text) is not None
    for number in NUMBER.finditer(text):
        start = number.start()
        if start < end:
            continue
        currency = _find_currency_before(text, start)
        match = (
            (currency and _AMOUNT.match(text, start))
            or (has_rare and _RARE.match(text, start))
            or _ALLOWED.match(text, start)
            or (has_label and _match_labelled_coordinate(text, start))
        )
        if match:
            end = match.end()
            yield currency.start() if currency else start, end, ""
