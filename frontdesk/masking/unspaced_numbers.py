# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Numbers directly next to letters: "SSN078-05-1120", "cvv123exp1227", "Mobile0170 1234567", "C.V.V. 123".

A space is inserted between such a word and its number before any finder runs, and acronyms with dots or spaces are
joined. Telephone and identity numbers in groups are also found next to other letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.folding import FoldedText, insert_spaces, replace_matches
from frontdesk.masking.identity_numbers import find_identity_numbers
from frontdesk.masking.phone_numbers import find_phones
from frontdesk.masking.spans import Span

_ACRONYM = re.compile(
    r"(?<![^\W_])(?:c[. ]{1,2}v[. ]{1,2}(?:[vcn](?:[. ]{0,2}2)?|2)|c[. ]{1,2}c[. ]{1,2}v|c[. ]{1,2}s[. ]{1,2}c|p[. ]{1,2}i[. ]{1,2}n"
    r"|t[. ]{1,2}a[. ]{1,2}n|o[. ]{1,2}t[. ]{1,2}p|s[. ]{1,2}s[. ]{1,2}n|n[. ]{1,2}i[. ]{1,2}n[. ]{1,2}o|d[. ]{1,2}o[. ]{1,2}b"
    r"|i[. ]{1,2}b[. ]{1,2}a[. ]{1,2}n)(?![^\W_])\.?",
    re.IGNORECASE,
)
_BEFORE = tuple(
    """
    cvv cvc cvn ccv csc cid code pin tan puk otp ziffer ziffern geheimzahl cryptogramme clave digits
    ssn nino nhs steuerid idnr dni nie nif bsn nir ahv cpf pesel personnummer security passport fiscale seguridad sociale ausweis
    tel telefon phone telephone mobile mobil handy cell fax whatsapp sms call teléfono móvil portable cellulare telefono
    iban card visa mastercard amex karte nummer number carte tarjeta carta kreditkarte konto account dob born geboren
    """.split()
)
_AFTER = tuple(
    """
    exp cvv cvc cvn ccv csc pin tan otp valid gültig gueltig cad scad tel phone mobile mobil email mail iban bic ssn card und and
    """.split()
)
_ADJACENT_WORD = re.compile(r"[^\W\d_]{2,24}+(?=[+(]?\d|[A-Za-z]{0,2}\d)|(?<=\d)[^\W\d_]{2,24}+")
_HAS_ADJACENT_LETTER = re.compile(r"\d(?:(?=[^\W\d_])|(?<=[^\W\d_]\d)|(?<=[^\W\d_][+(]\d))")
_CAPITALS = re.compile(r"(?<![^\W\d_])(?:DNI|NIE|NIF|SSN|NINO|IBAN|Nino|Iban)(?=[A-Z]{1,2} ?\d)")
_NUMBER_NEXT_TO_LETTER = re.compile(
    r"(?<=[^\W\d_])[+(]{0,2}\d[\d ./()_-]{6,20}\d|(?<![^\W_+(])[+(]{0,2}\d[\d ./()_-]{6,20}\d(?=[^\W\d_])"
)
_GROUPED = re.compile(r"\d[^\d]")


def separate_words_from_numbers(folded: FoldedText) -> FoldedText:
    """Return `folded` with a space between words and adjacent numbers, and with joined acronyms."""
    if _ACRONYM.search(folded.text):
        folded = replace_matches(folded, _ACRONYM, _join_acronym)
    text = folded.text
    if not _HAS_ADJACENT_LETTER.search(text):
        return folded
    gaps = {match.end() for match in _CAPITALS.finditer(text)} if "N" in text or "D" in text else set()
    for match in _ADJACENT_WORD.finditer(text):
        word, start, end = match[0].lower(), *match.span()
        if word.endswith(_BEFORE) and text[end : end + 1] in _DIGITS_AND_SIGNS:
            gaps.add(end)
        if start and text[start - 1].isdigit() and word.startswith(_AFTER):
            gaps.add(start)
    return insert_spaces(folded, sorted(gaps)) if gaps else folded


_DIGITS_AND_SIGNS = frozenset("0123456789+(")


def _join_acronym(match: re.Match[str]) -> str:
    return "".join(filter(str.isalnum, match[0]))


def find_numbers_touching_letters(text: str) -> Iterator[Span]:
    """Yield telephone and identity numbers in groups with letters directly before or after them."""
    if not _HAS_ADJACENT_LETTER.search(text):
        return
    for match in _NUMBER_NEXT_TO_LETTER.finditer(text):
        low, value = match.start(), match[0]
        if _GROUPED.search(value):
            for start, end, kind in (*find_identity_numbers(value), *find_phones(value)):
                yield low + start, low + end, kind
                break
