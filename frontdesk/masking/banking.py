"""IBANs and cards in their usual groups, by checksum; sort codes by the words before them.

Letters directly next to a number do not prevent a match: "Visa4111 ...". Other groups and separators are in
`separated_digits`, numbers with a typing error in `mistyped`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban, numdb

from frontdesk.masking.spans import END, START, Span, find_checked, find_word_starts

_IBAN_REGISTER = numdb.get("iban")
_IBAN = re.compile(rf"{START}[A-Za-z]{{2}}\d\d[A-Za-z\d]{{0,30}}(?:[ -][A-Za-z\d]{{1,30}}){{0,8}}{END}", re.ASCII)
_CARD = re.compile(r"(?<!\d)[2-6]\d{2,18}(?:[ -]\d{3,16}){0,5}(?!\d)", re.ASCII)
_THIRTEEN_DIGITS = re.compile(r"\d(?:[ -]?\d){12}", re.ASCII)
_FIRST_BY_LENGTH = {13: "4", 14: "3", 15: "3", 16: "23456", 17: "456", 18: "456", 19: "456"}
"""First digits of cards by length (ISO/IEC 7812); excludes most national numbers of 15 digits."""
LUHN_DOUBLED = {digit: sum(divmod(2 * int(digit), 10)) for digit in "0123456789"}

_LINK = r"(?:[ :#]|is |ist |est |es |è |was |number|no\.?|nr\.?){0,6}"
_SORT_CODE = re.compile(rf"{START}sort(?:[ -]?code)?{_LINK}(\d\d([ -])\d\d\2\d\d){END}", re.IGNORECASE | re.ASCII)
SORT_CODE_WORDS = frozenset(("sort", "sortcode"))


def find_ibans(text: str) -> Iterator[Span]:
    return find_checked("IBAN", _IBAN, _is_iban, text)


def _is_iban(candidate: str) -> bool:
    compact = candidate.replace(" ", "").replace("-", "")
    return len(compact) == iban_length(compact[:2].upper()) and is_iban(compact)


def is_iban(compact: str) -> bool:
    """Verify the check digits, then the structure of the country, which takes ten times as long."""
    code = compact.upper()
    number = int("".join(str(int(char, 36)) for char in code[4:] + code[:4]))
    return number % 97 == 1 and bool(iban.is_valid(compact, check_country=False))


@cache
def iban_length(country: str) -> int:
    """Return the length of an IBAN of `country`, from the register of python-stdnum; 0 if it is not listed."""
    _, rules = _IBAN_REGISTER.info(country)[0]
    structure = rules.get("bban", "")
    return sum(map(int, re.findall(r"(\d+)!", structure))) + 4 if structure else 0


def find_cards(text: str) -> Iterator[Span]:
    return find_checked("CARD", _CARD, _is_card, text) if _THIRTEEN_DIGITS.search(text) else iter(())


def _is_card(candidate: str) -> bool:
    digits = candidate.replace(" ", "").replace("-", "")
    return (
        digits[0] in _FIRST_BY_LENGTH.get(len(digits), "")
        and _luhn_sum(digits) % 10 == 0
        and (len(digits) != 15 or digits[1] in "47")
    )


def _luhn_sum(digits: str) -> int:
    """Return the Luhn sum. It runs for every group of digits; python-stdnum takes five times as long."""
    return sum(map(int, digits[-1::-2])) + sum(map(LUHN_DOUBLED.__getitem__, digits[-2::-2]))


def find_sort_codes(text: str) -> Iterator[Span]:
    for start in find_word_starts(text, SORT_CODE_WORDS):
        if match := _SORT_CODE.match(text, start):
            yield *match.span(1), "ACCOUNT"
