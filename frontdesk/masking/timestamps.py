# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Time stamps, which are kept: ISO 8601, RFC 2822, and those of logs.

"2026-03-12T10:15:00.123+01:00"    "2026-W11-4"    "Thu, 12 Mar 2026 10:15:00 +0100"    "12/Mar/2026:10:15:00 +0000"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.spans import Span

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TWO_DIGIT_MONTH, _TWO_DIGIT_DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_HOUR, _SIXTY = r"(?:[01]?\d|2[0-4])", r"[0-5]\d"
_FRACTION = r"(?:[.,:]\d{1,9})?"
_CLOCK = rf"{_HOUR}(?::{_SIXTY}(?::[0-6]\d{_FRACTION})?|h{_SIXTY})(?: ?[ap]\.?m\.?)?"
_OFFSET = r"[+-](?:0\d|1[0-4])(?::?[0-5]\d)?"
_REGION = r"(?:\[[A-Za-z]{2,12}(?:/[A-Za-z_]{2,20}){0,2}\])?"
_ZONE = rf"(?: ?(?:Z|UTC|GMT|CES?T|BST|[ECMP][SD]T)(?![^\W_])(?:{_OFFSET})?| ?{_OFFSET}(?=/{_YEAR}-|(?![ ./()-]{{0,3}}\d)))?{_REGION}"
_SEPARATED_DATES = "|".join(
    rf"{_YEAR}{separator}{_MONTH}{separator}{_DAY}|(?:{_DAY}{separator}{_MONTH}|{_MONTH}{separator}{_DAY}){separator}{_YEAR}"
    for separator in ("-", "/", r"\.")
)
_SEPARATED_DATE = rf"(?:{_SEPARATED_DATES})"
_COMPACT_DATE = rf"{_YEAR}{_TWO_DIGIT_MONTH}{_TWO_DIGIT_DAY}"
_WEEK_DATE = rf"{_YEAR}-?W(?:0[1-9]|[1-4]\d|5[0-3])(?:-?[1-7](?!\d))?"
_MONTH_NAME = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mär|Mai|Okt|Dez)"
_BODY = (
    rf"(?:{_SEPARATED_DATE}(?:T|, ?| |_|-| - | at | um | à ){_CLOCK}{_ZONE}"
    rf"|{_SEPARATED_DATE}(?:T(?:[01]\d|2[0-4])(?![\d:])|[_T]{_HOUR}[-_.]{_SIXTY}[-_.]{_SIXTY})(?:Z|{_OFFSET})?"
    rf"|{_COMPACT_DATE}T(?:[01]\d|2[0-4])(?:{_SIXTY}(?:[0-6]\d{_FRACTION})?)?(?:Z|{_OFFSET})?"
    rf"|{_COMPACT_DATE}[ _-](?:(?:[01]\d|2[0-3]){_SIXTY}[0-5]\d(?!\d)|{_CLOCK}{_ZONE})"
    rf"|{_WEEK_DATE}(?:T{_CLOCK}{_ZONE})?|{_YEAR}-(?:[0-2]\d\d|3[0-6]\d)T{_CLOCK}{_ZONE}"
    rf"|{_DAY}[/-]{_MONTH_NAME}[/-]{_YEAR}[: ]{_CLOCK}{_ZONE}"
    rf"|{_DAY}\.? {_MONTH_NAME}[a-z]{{0,6}}\.?,? {_YEAR},? {_CLOCK}{_ZONE}(?: \([A-Z]{{2,5}}\))?"
    rf"|(?<=[A-Za-z] ){_DAY},? (?:{_YEAR},? )?{_HOUR}:{_SIXTY}:[0-6]\d{_FRACTION}{_ZONE}(?: {_YEAR}(?!\d))?"
    rf")(?![^\W_])(?!-[^\W_]|[.:]\d|/(?!{_YEAR}-)\d)"
)
_STAMP = re.compile(rf"(?<!\d[./:-])(?<!\d)(?<![^\W\d_]){_BODY}", re.IGNORECASE)
_END_OF_INTERVAL = re.compile(rf"(?:/|--){_BODY}", re.IGNORECASE)
_EPOCH = re.compile(
    r"(?<![^\W_])(?:timestamp|ts|epoch|unix ?time(?:stamp)?|created_at|updated_at)[\"']?(?: is)?[ :=]{1,3}[\"']?(?P<epoch>1\d{9}(?:\d{3}){0,3}(?:\.\d{1,9})?)(?![^\W_]|[.:/-]\d)",
    re.IGNORECASE,
)
_MAY_HAVE_STAMP = re.compile(r"\d(?:[Tt_, ]\d|[:h]\d\d|-?[Ww]\d\d| (?:at|um|à) \d)|1\d{9}")


def may_have_timestamp(text: str) -> bool:
    """Return whether digits are arranged as in a time stamp. About a microsecond."""
    return _MAY_HAVE_STAMP.search(text) is not None


def find_timestamps(text: str) -> Iterator[Span]:
    """Yield time stamps as text to keep, before a part of them can match as a number."""
    spans: list[tuple[int, int]] = []
    for match in _STAMP.finditer(text):
        interval = _END_OF_INTERVAL.match(text, match.end())
        spans.append((match.start(), interval.end() if interval else match.end()))
    spans += [match.span("epoch") for match in _EPOCH.finditer(text)]
    previous_end = 0
    for start, end in sorted(spans):
        if start >= previous_end:
            previous_end = end
            yield start, end, ""
