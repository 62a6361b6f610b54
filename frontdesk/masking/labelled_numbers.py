"""Order and account numbers by the label before them, in any format: "policy BC-7710 2284", "n. 0044/9182".

The label is searched backwards from the number, across words such as "number", "is" and "n°". The number extends over
parts joined by '-', '/', '.' or '_', and over groups with spaces between them if they look like one number. Not
detected: numbers without a label (see `find_unlabelled_identifiers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from frontdesk.masking.allowlist import date_or_amount_end
from frontdesk.masking.lexicons import reference_words as words
from frontdesk.masking.lexicons.name_words import NOT_A_NAME
from frontdesk.masking.phone_numbers import phone_end
from frontdesk.masking.spans import END, START, Span, word_set

_TOKEN = re.compile(
    rf"{START}(?<![^\W_][-/])(?:[^\W\d_]++(?:(?=[-/][^\W\d_])[-/][^\W\d_]++)*+[-/_]?)?+"
    r"\d[^\W_]*+(?:(?=[-_/][^\W_])[-_/][^\W_]++|(?=\.\d)\.\d++)*+"
)
_UNIT = (
    r"(?:[€$£%°]|(?:eur|euros?|gbp|pounds?|usd|dollars?|chf|kr|sek|x|kg|mg|g|cm|mm|m|km|ml|l|gb|mb|tb|go|mo|kwh|mbit|pcs"
    r"|pieces|stk|stück|pz)(?![^\W_]))"
)
_GROUPS = re.compile(rf"(?: \d{{2,10}}(?:[-/]\d{{1,6}}){{0,3}}{END}(?![.,:/]\d)(?! ?{_UNIT})){{1,5}}", re.IGNORECASE)
_LETTERS_BEFORE = re.compile(rf"{START}(?!(?:EUR|GBP|USD|CHF|SEK|NO|NR|NUM|ID|REF|IST|IS|ES|EST) )[A-Z]{{1,4}} \Z")
_CAPITALS_AND_DIGITS = r"(?=\d{0,7}[A-Z])[A-Z\d]{5,8}"
_LOCATOR = re.compile(_CAPITALS_AND_DIGITS)
BOOKING_CODE = re.compile(rf"{START}(?=[A-Z]{{0,7}}\d){_CAPITALS_AND_DIGITS}{END}")
"""Booking codes of airlines and hotels: capital letters with digits. They are searched even if digits are few."""
_MIXED = re.compile(r"(?:[A-Z]+\d+){2}[A-Z]*|(?:\d+[A-Z]+){2}\d*")
_LIST_SEPARATOR = re.compile(r"\s*(?:,|and|&|or|/|\+|und|oder|et|ou|y|o|e|en|och)\s*#?|\s*#")
_TWO_NUMBERS = re.compile(r"(\d{4,})/\d{4,}")
_ELIDED = re.compile(r"\A(?:d|l|dell|all|nell|sull)['’]")
_STANDS_ALONE = re.compile(r"(?<!\d[ /-])(?<!\d\) )\d+(?![^\W_]|[ /-]\d)")
_POSSESSIVE = re.compile(r"['’]s\Z")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PERIOD = re.compile(r"(?:19[5-9]|20[0-4])\d(?:[-/](?:(?:19|20)?\d\d))?")
_PERIOD_WORD_BEFORE = re.compile(
    r"(?<![^\W_])(?:de|del|des|du|di|da|do|dos|dal|dall['’]anno|of|from|in|since|during|von|aus|vom|im|ab|seit|van|uit|i|från|fra|z|w|roku|rok"
    r"|año|ano|anno|année|an|jahre?s?|year|jaar|år|rok|fy|l['’]an|l['’]année) \Z",
    re.IGNORECASE,
)
_PLURAL_LABEL_BEFORE = re.compile(
    r"(?<![^\W_])(?:orders|invoices|contracts|tickets|cases|bookings|bills|statements|policies|rechnungen|bestellungen|aufträge|verträge|buchungen"
    r"|factures|commandes|contrats|facturas|pedidos|contratos|fatture|ordini|contratti|facturen|bestellingen|faturas|encomendas|faktury|zamówienia|fakturor)"
    r" (?:(?:19|20)\d\d(?:,| and| und| et| y| e| en| to| bis| à| a| tot| i|-| -) ?){0,3}\Z",
    re.IGNORECASE,
)
_TRAVEL_WORD_BEFORE = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(words.TRAVEL))}):? \Z")
_MAX_DISTANCE = 48
_LONGEST_ABBREVIATION = len("client.")
_MIN_LONG = 6
_MIN_DIGITS, _MIN_GROUPED, _MAX_GROUPED = 3, 6, 22


class _NumberLabel(NamedTuple):
    """The label before a number. `kind` is ORDER or ACCOUNT, and `sure` means that the words announce a number.

    `coded` labels may have a booking code; `speaker` means that the label is also a word for a person ("customer").
    """

    kind: str
    sure: bool
    coded: bool
    speaker: bool


def find_labelled_numbers(text: str) -> Iterator[Span]:
    """Yield numbers after a label, also several after one label ("orders 48213 and 48214").

    A value with a label is also masked in other places of the text.
    """
    if not words.may_label_number(word_set(text)):
        return
    tokens = [token.span() for token in _TOKEN.finditer(text)]
    kind_by_value: dict[str, str] = {}
    spans: list[Span] = []
    number_end, kind = -1, ""
    for start, end in tokens:
        if start < number_end or text[start - 1 : start] == "+":
            continue
        number = _find_labelled_number(text, start, end)
        if number:
            start, number_end, kind = number
        elif (
            kind and _count_digits(text[start:end]) > _MIN_DIGITS and _LIST_SEPARATOR.fullmatch(text, number_end, start)
        ):
            number_end = _end_before_second_number(text, start, end)
        else:
            continue
        for first, last in (
            (start, number_end),
            *(((number_end + 1, end),) if start < number_end < end else ()),
        ):  # "48213/48214"
            kind_by_value.setdefault(text[first:last], kind)
            spans.append((first, last, kind))
    if kind_by_value:
        kind_by_shape = {
            (len(value), value[:2]): kind for value, kind in kind_by_value.items() if value.isdigit() and len(value) > 4
        }
        for start, end in tokens:
            token = text[start:end]
            if kind := kind_by_value.get(token) or (
                kind_by_shape.get((end - start, token[:2]), "") if _STANDS_ALONE.match(text, start) else ""
            ):
                spans.append((start, end, kind))
    previous_end = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end, kind


def _find_labelled_number(text: str, start: int, end: int) -> Span | None:
    """Return the whole number that starts with the token `text[start:end]`, if a label precedes it."""
    token = text[start:end]
    digits = _count_digits(token)
    groups = _GROUPS.match(text, end) if text[end : end + 1] == " " else None
    locator = digits < _MIN_DIGITS and _LOCATOR.fullmatch(token) is not None
    if digits < _MIN_DIGITS and not groups and not locator:
        return None
    before = text[max(0, start - _MAX_DISTANCE) : start]
    if _is_period(token, before):
        return None
    label, begin = _find_label(before, token[0].isalpha() or digits >= _MIN_LONG), start
    if not label and locator and _MIXED.fullmatch(token) and _TRAVEL_WORD_BEFORE.search(before.lower()):
        return start, end, "ORDER"
    if not label and "_" in token:  # "order_4821"
        label_text, _, token = token.rpartition("_")
        label, begin = _find_label(f"{label_text} "), end - len(token)
    if (letters := _LETTERS_BEFORE.search(before)) and (earlier_label := _find_label(before[: letters.start()], True)):
        label, begin = earlier_label, start - len(letters[0])
    if not label or token.startswith("0x") or date_or_amount_end(text, start) >= end:
        return None
    if locator:
        return (begin, end, label.kind) if label.coded else None
    longest = 6 if label.sure else 5 if label.kind == "ACCOUNT" and not label.speaker else 4
    grouped_length = (
        _continuation_length(token, groups[0], longest, begin < start or token[0].isalpha()) if groups else 0
    )
    if not label.sure and (label.speaker or not grouped_length) and phone_end(text, start) > end:
        return None
    if grouped_length:
        return begin, end + grouped_length, label.kind
    certain = label.sure or begin < start or token[0].isalpha()
    if digits < (_MIN_DIGITS if certain else _MIN_DIGITS + 1):
        return None
    return begin, _end_before_second_number(text, start, end), label.kind


def _is_period(token: str, before: str) -> bool:
    """Return whether the token is a year or years: "the invoices of 2025", "facturas de 2024-2025", "orders 2024"."""
    return _PERIOD.fullmatch(token) is not None and (
        _PERIOD_WORD_BEFORE.search(before) is not None or _PLURAL_LABEL_BEFORE.search(before) is not None
    )


def _continuation_length(token: str, groups: str, longest: int, is_code: bool) -> int:
    """Return how many characters of `groups`, which follow `token`, belong to the same number."""
    first = re.split(r"[^\d]", token)[-1]
    while groups:
        pieces = groups.split()
        alike = len(pieces) > 1 and len(first) <= _MIN_GROUPED
        pair = (
            len(pieces) == 1
            and len(first) <= longest
            and len(pieces[0]) >= 3
            and (is_code or not _YEAR.fullmatch(pieces[0]))
        )
        if len(first) == len(pieces[0]) > 4 and first[0] != "0":  # two numbers of equal length
            pair = alike = False
        if (alike or pair) and _MIN_GROUPED - token[0].isalpha() <= _count_digits(token + groups) <= _MAX_GROUPED:
            return len(groups)
        groups = groups[: groups.rindex(" ")]
    return 0


def _end_before_second_number(text: str, start: int, end: int) -> int:
    """Return the end of a value without spaces. Two numbers of equal length with a '/' between them are two values."""
    two = _TWO_NUMBERS.fullmatch(text, start, end)
    alike = two and end - two.end(1) == len(two[1]) + 1 and not any(map(_YEAR.fullmatch, two[0].split("/")))
    return two.end(1) if two and alike else end


def _find_label(before: str, is_code: bool = False) -> _NumberLabel | None:
    """Return the label in the last words of `before`; with `is_code`, one other word may follow the label."""
    sure = before.endswith("#")
    skipped = not (sure or is_code)
    referring: _NumberLabel | None = None
    is_speaker, colon = False, False
    words_before = before.lower().split()
    while words_before:
        raw_word = words_before.pop()
        word = _POSSESSIVE.sub("", _ELIDED.sub("", raw_word.strip("#:=([\"'_,?¿!*<>|-–")))
        has_colon, colon = colon or raw_word.endswith(":"), raw_word == ":"
        if has_colon and word in words.SPEAKER and "\n" in before:
            is_speaker = True
            continue
        if word.endswith(".") and len(word) > _LONGEST_ABBREVIATION and not word.endswith("nr."):
            break
        word = word.replace(".", "")
        if not word:
            continue
        if kind := words.announced_number_kind(word):
            numbered = word not in words.ALL or _announces_number(words_before[-2:])
            label = _NumberLabel(kind, sure or numbered, word in words.CODED or "code" in word, word in words.SPEAKER)
            if referring:
                return referring if kind == "ORDER" else label._replace(sure=True)
            if word not in words.REFERRING:
                return label
            referring, sure = label._replace(sure=True), True
        elif word in words.NUMBER_WORD:
            sure, skipped = True, False
        elif word in words.OTHER_NUMBER_WORDS:
            return None
        elif word not in words.CONNECTING_WORDS and not (is_speaker and word[0].isdigit()):
            if skipped or referring or not word.isalpha() or word in NOT_A_NAME:
                break
            skipped = True
    return referring or (_NumberLabel("ACCOUNT", False, False, True) if is_speaker else None)


def _announces_number(words_before: list[str]) -> bool:
    """Return whether the words announce a number of what follows: "numéro de", "n° d'", "número"."""
    return any(word.strip(".,:(#").replace(".", "") in words.NUMBER_WORD for word in words_before)


def _count_digits(token: str) -> int:
    return sum(map(str.isdigit, token))
