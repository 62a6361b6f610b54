# ruff: noqa: E501  -- lists and patterns read better unbroken
"""IBANs and cards, by their checksums; sort codes and account numbers in groups, by the words before them.

Not known: card numbers with a typing error in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban, luhn, numdb

from frontdesk.security.masking.spans import END, START, Found, checked

_IBAN_REGISTER = numdb.get("iban")
_IBAN = re.compile(rf"{START}[A-Za-z]{{2}}\d\d[A-Za-z\d]{{0,30}}(?:[ -][A-Za-z\d]{{1,30}}){{0,8}}{END}", re.ASCII)
_CARD = re.compile(rf"{START}\d{{3,19}}(?:[ -]\d{{3,16}}){{0,5}}{END}", re.ASCII)
_CARD_DIGITS = range(13, 20)

_LINK = r"(?:[ :#]|is |ist |est |es |è |was |number|no\.?|nr\.?){0,6}"
_SORT_CODE = re.compile(rf"{START}sort[ -]?code{_LINK}(\d\d([ -])\d\d\2\d\d){END}", re.IGNORECASE | re.ASCII)
_GROUPED_ACCOUNT = re.compile(
    rf"{START}(?:account|acct\.?|acc\.?|konto(?:nummer|-?nr\.?)?|(?:compte|cuenta|conto)(?: bancaria| corrente)?){_LINK}"
    rf"(\d{{2,8}}(?:[ -]\d{{2,10}}){{1,5}}){END}",
    re.IGNORECASE | re.ASCII,
)


def ibans(text: str) -> Iterator[Found]:
    return checked("IBAN", _IBAN, _is_iban, text)


def _is_iban(candidate: str) -> bool:
    compact = candidate.replace(" ", "").replace("-", "")
    return len(compact) == _iban_length(compact[:2].upper()) and iban.is_valid(compact, check_country=False)


@cache
def _iban_length(country: str) -> int:
    """Characters of an IBAN of `country`, by the register that python-stdnum carries; 0 where it has none."""
    _, rules = _IBAN_REGISTER.info(country)[0]
    structure = rules.get("bban", "")
    return sum(map(int, re.findall(r"(\d+)!", structure))) + 4 if structure else 0


def cards(text: str) -> Iterator[Found]:
    return checked("CARD", _CARD, _is_card, text)


def _is_card(candidate: str) -> bool:
    digits = candidate.replace(" ", "").replace("-", "")
    return len(digits) in _CARD_DIGITS and luhn.is_valid(digits)


def accounts(text: str) -> Iterator[Found]:
    """Sort codes and account numbers written in groups. One in a single piece is for `references` to find."""
    found = [match.span(1) for pattern in (_SORT_CODE, _GROUPED_ACCOUNT) for match in pattern.finditer(text)]
    done = 0
    for start, end in sorted(found):
        if start >= done:
            done = end
            yield start, end, "ACCOUNT"
