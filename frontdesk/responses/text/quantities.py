"""Find every quantity in a text and convert it to one form, so that two texts can be compared.

    find_quantities("within five to seven business days, 1.000,00 EUR at most")
    -> 5-7 working days, 1000 EUR

A quantity is a number with its unit, if it has one: amount, duration, percentage, date, time of day, name of a day, or
bare number. Numerals of any script and number words of eight languages (`number_words.py`) are parsed; "7 Tage", "a
week" and "7 days" are the same quantity, "7 working days" is another. Dates are compared by their possible readings:
3/5/2026 is read both ways. Placeholders and list numbers are not quantities. Independent of replies and passages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from frontdesk.responses.text.number_words import (
    AMBIGUOUS_NUMBERS,
    CALENDAR,
    DAY_NAMES,
    MONTHS,
    NUMBERS,
    ONE,
    OTHER_UNITS,
    WORKING,
)

_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d{1,3}\]")
_LIST_NUMBER = re.compile(r"^\s{0,4}\d{1,2}[.)]\s", re.MULTILINE)
_DATE = re.compile(r"(?<![\d./-])(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?![\d/-]|[.]\d)")
_CLOCK = re.compile(
    r"(?<!\d)(\d{1,2}):(\d\d)(?!\d)(?: ?([ap])\.?m\b)?|(?<![\d.,])(\d{1,2}) ?([ap])\.?m\b", re.IGNORECASE
)
_TOKEN = re.compile(r"\d+(?:[.,'\u2019 \u00a0\u202f]\d+)*|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|[%€$£¥–—-]")
_GROUPS = re.compile(r"\d{1,3}(?:([ \u00a0\u202f'\u2019])\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)*")
_RANGE_WORDS = frozenset("to - – — bis à a al and und et y e tot en ate até till or oder ou o of till och".split())
_SKIPPED_BEFORE_UNIT = frozenset("full whole more further volle ganze next".split())


@dataclass(frozen=True, slots=True)
class Quantity:
    """`low` and `high` differ for a range only. `unit` is "" for a bare number; `text` is the original form."""

    low: float | str
    high: float | str
    unit: str
    text: str
    position: int = 0

    @property
    def key(self) -> tuple[float | str, float | str, str]:
        return self.low, self.high, self.unit


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """All quantities of `text`, in reading order."""
    text = _PLACEHOLDER.sub(_blank, _normalize_characters(text))
    text = _LIST_NUMBER.sub(_blank, text)
    quantities: list[Quantity] = []
    for pattern, parse in ((_DATE, _parse_date), (_CLOCK, _parse_time)):
        for match in pattern.finditer(text):
            quantities += parse(match)
        text = pattern.sub(_blank, text)
    quantities += _parse_numbers(text)
    return tuple(sorted(quantities, key=lambda quantity: quantity.position))


class SourceQuantities:
    """The quantities that a reply may state: those of its sources."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._collect([quantity for text in texts for quantity in find_quantities(text)])

    @classmethod
    def of(cls, quantities: Sequence[Quantity]) -> SourceQuantities:
        """Create from quantities that are already parsed."""
        instance = cls(())
        instance._collect(quantities)
        return instance

    def _collect(self, quantities: Sequence[Quantity]) -> None:
        self._keys = {quantity.key for quantity in quantities}
        self._upper = {(quantity.high, quantity.unit) for quantity in quantities}
        self._values = {value for quantity in quantities for value in _values(quantity)}

    def contains(self, quantity: Quantity) -> bool:
        """Whether a source states the quantity.

        The end of a range counts ("5 to 7 days" supports "7 days"), its beginning does not. A bare number is supported
        by the same number with any unit. A range of named days must be stated as it is.
        """
        if quantity.key in self._keys or (
            quantity.low == quantity.high and (quantity.high, quantity.unit) in self._upper
        ):
            return True
        if quantity.low != quantity.high and isinstance(quantity.low, str):
            return False
        return not quantity.unit and all(value in self._values for value in (quantity.low, quantity.high))


def _values(quantity: Quantity) -> tuple[float | str, ...]:
    """The numbers in every form without a unit: 24 hours are stored as minutes, but written as 24."""
    numbers = [float(_parse_number(digits[0])) for digits in _GROUPS.finditer(quantity.text)]
    word_numbers = [float(NUMBERS[word]) for word in re.findall(r"[^\W\d_]+", quantity.text.lower()) if word in NUMBERS]
    return (quantity.low, quantity.high, *numbers, *word_numbers)


def _normalize_characters(text: str) -> str:
    """Convert to compatibility forms, remove invisible characters, and convert digits of every script to ASCII."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() and not char.isascii() else char
        for char in folded
        if unicodedata.category(char) != "Cf"
    )


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


def _parse_date(match: re.Match[str]) -> Iterator[Quantity]:
    """The date, as sorted day and month because both readings may be possible, and the year."""
    first, second, third = (int(match[group]) for group in (1, 3, 4))
    year, month, day = (first, second, third) if first > 31 else (third, second, first)
    low, high = sorted((month, day))
    year += 2000 if year < 100 else 0
    yield Quantity(f"{low}/{high}", f"{low}/{high}", "date", match[0], match.start())
    yield Quantity(float(year), float(year), "", match[0], match.start())


def _parse_time(match: re.Match[str]) -> Iterator[Quantity]:
    hour, minute = int(match[1] or match[4]), int(match[2] or 0)
    meridiem = (match[3] or match[5] or "").lower()
    hour += 12 if meridiem == "p" and hour < 12 else -12 if meridiem == "a" and hour == 12 else 0
    yield Quantity(f"{hour}:{minute:02}", f"{hour}:{minute:02}", "time", match[0], match.start())


def _parse_numbers(text: str) -> Iterator[Quantity]:
    tokens = [(match[0].lower(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    position = 0
    while position < len(tokens):
        word, start, _ = tokens[position]
        if word in DAY_NAMES:
            yield Quantity(DAY_NAMES[word], DAY_NAMES[word], "day", text[start : tokens[position][2]], start)
            position += 1
            continue
        parsed = _parse_quantity(tokens, position)
        if parsed is None:
            position += 1
            continue
        low, high, unit, end = parsed
        if unit is not None or word not in AMBIGUOUS_NUMBERS:
            begin = tokens[position - 1][1] if position and unit and tokens[position - 1][0] in OTHER_UNITS else start
            yield Quantity(low, high, unit or "", text[begin : tokens[end - 1][2]], start)
        position = end


def _parse_quantity(
    tokens: list[tuple[str, int, int]], position: int
) -> tuple[float | str, float | str, str | None, int] | None:
    """(low, high, unit, index of the next token) of a number or a range that begins at `position`."""
    words = [token[0] for token in tokens]
    value = _parse_numeral(words, position)
    if value is None:
        return None
    low, end = value
    high = low
    unit = _parse_unit(words, end)
    if words[position] not in ONE and unit is None and end + 1 < len(words) and words[end] in _RANGE_WORDS:
        second = _parse_numeral(words, end + 1)
        if second is not None and words[end + 1] not in ONE:
            high, end = second
            unit = _parse_unit(words, end)
    if month := _parse_month(words, position, end):
        day_month = sorted((int(low), month[0]))
        day = f"{day_month[0]}/{day_month[1]}"
        return day, day, "date", month[1]
    if unit is None:
        previous = words[position - 1] if position else ""
        currency = (
            OTHER_UNITS.get(previous) if previous in "€$£¥" or previous in ("eur", "usd", "gbp", "chf", "sek") else None
        )
        return low, high, currency or None, end
    name, factor, end = unit
    return low * factor, high * factor, name, end


def _parse_numeral(words: list[str], position: int) -> tuple[float, int] | None:
    word = words[position] if position < len(words) else ""
    if word[:1].isdigit():
        return _parse_number(word), position + 1
    if word in ONE:
        return 1.0, position + 1
    parts = word.split("-")
    if not all(part in NUMBERS for part in parts):
        return None
    total, end = _sum_number_words(parts), position + 1
    while end < len(words) and words[end] in NUMBERS:
        value = NUMBERS[words[end]]
        total = total * value if value >= 100 else total + value if total % 10 == 0 and value < 10 else total
        if value < 100 and total % 10 == 0:
            break
        end += 1
    return float(total), end


def _sum_number_words(parts: list[str]) -> int:
    return sum(NUMBERS[part] for part in parts)


def _parse_number(digits: str) -> float:
    """Parse a number with any separators: 1,000.00, 1.000,00 and 1 000 are one thousand; 4,90 and 4.90 are the same."""
    compact = re.sub(r"[ \u00a0\u202f'\u2019]", "", digits)
    last = max(compact.rfind("."), compact.rfind(","))
    if last < 0:
        return float(compact)
    whole, decimals = compact[:last], compact[last + 1 :]
    digits_before = re.sub(r"\D", "", whole)
    if len(decimals) == 3 and len(digits_before) <= 3 * compact.count(compact[last]):
        return float(f"{digits_before}{decimals}")
    return float(f"{digits_before}.{decimals}")


def _parse_unit(words: list[str], position: int) -> tuple[str, float, int] | None:
    """(name, factor, index of the next token) of the unit at `position`. Working days are a unit of their own."""
    while position < len(words) and words[position] in _SKIPPED_BEFORE_UNIT:
        position += 1
    word = words[position] if position < len(words) else ""
    following = words[position + 1] if position + 1 < len(words) else ""
    if word in WORKING and following in CALENDAR:
        return "working days", 1.0, position + 2
    if word in CALENDAR:
        if following in WORKING:
            return "working days", 1.0, position + 2
        return "minutes", float(CALENDAR[word]), position + 1
    if word in OTHER_UNITS:
        return OTHER_UNITS[word], 1.0, position + 1
    return None


def _parse_month(words: list[str], position: int, end: int) -> tuple[int, int] | None:
    """(month, index of the next token) if the number is the day of a named month: "3 May", "May 3", "3rd of May"."""
    if words[position] in MONTHS or (words[position][:1].isdigit() and not 1 <= _parse_number(words[position]) <= 31):
        return None
    next_position = end
    while next_position < len(words) and words[next_position] in ("st", "nd", "rd", "th", "of", "de", "di", "d"):
        next_position += 1
    if next_position < len(words) and words[next_position] in MONTHS:
        return MONTHS[words[next_position]], next_position + 1
    if position and words[position - 1] in MONTHS:
        return MONTHS[words[position - 1]], end
    return None
