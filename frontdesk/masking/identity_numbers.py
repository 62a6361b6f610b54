# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Identity numbers issued by a state: by format and checksum, or by the label before them.

A format that other numbers share (eleven bare digits) needs its label. After a label, a number also matches with a
typing error. Checksums are from python-stdnum. Dates of birth are in `mistyped`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.se import personnummer
from stdnum.us import itin, ssn

from frontdesk.masking.spans import END, START, Span, find_word_starts, word_set

_NINO_PREFIX_NEVER_GIVEN = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
"""National Insurance Manual NIM39110."""


def _is_nino(candidate: str) -> bool:
    return candidate.replace(" ", "")[:2].upper() not in _NINO_PREFIX_NEVER_GIVEN


def _is_dni(candidate: str) -> bool:
    return bool(dni.is_valid(candidate.replace(".", "")))


def _is_social_security_number(candidate: str) -> bool:
    """Validate an SSN or ITIN: groups of three, two and four digits with one separator between them."""
    plain = f"{candidate[:3]}-{candidate[4:6]}-{candidate[7:]}"
    return bool(ssn.is_valid(plain) or itin.is_valid(plain))


def _is_british_licence(candidate: str) -> bool:
    """Validate the date in the six digits: decade, month (plus 50 for women), day, year."""
    digits = "".join(filter(str.isdigit, candidate[5:12]))
    return int(digits[1:3]) % 50 in range(1, 13) and int(digits[3:5]) in range(1, 32)


_SHAPES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{3}[ ./_-]\d\d[ ./_-]\d{4}", _is_social_security_number),
    (r"[A-CEGHJ-PR-TW-Z] ?[A-CEGHJ-NPR-TW-Z](?:[ ./_-]?\d){6}[ ./_-]?[A-D]", _is_nino),
    (r"\d\d \d{3} \d{3} \d{3}", idnr.is_valid),
    (r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", nir.is_valid),
    (r"(?:\d{8}|\d\d\.\d{3}\.\d{3})[ -]?[A-Z]", _is_dni),
    (r"[XYZ][ -]?\d{7}[ -]?[A-Z]", nie.is_valid),
    (r"[A-Z]{3} ?[A-Z]{3} ?[\dL-V]{2}[A-EHLMPR-T][\dL-V]{2} ?[A-Z][\dL-V]{3} ?[A-Z]", codicefiscale.is_valid),
    (r"(?:19|20)?\d{6}[-+]\d{4}", personnummer.is_valid),
    (r"\d{6}[-+A]\d{3}[\dA-Y]", hetu.is_valid),
    (r"\d\d\.\d\d\.\d\d-\d{3}[.-]\d\d", nn.is_valid),
    (r"756\.\d{4}\.\d{4}\.\d\d", ahv.is_valid),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", cpf.is_valid),
    (r"\d{7}[A-W][A-IW]?", pps.is_valid),
    (r"[A-Z]{5} ?\d{6} ?[A-Z9]{2}[A-Z\d]{3}", _is_british_licence),
)
_CHECKED = tuple((re.compile(f"{shape}{END}", re.IGNORECASE | re.ASCII), valid) for shape, valid in _SHAPES)
_ANY = re.compile(rf"{START}(?:{'|'.join(shape for shape, _ in _SHAPES)}){END}", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_HEAD = re.compile(r"(?<![^\W_])[A-Z]{1,3} ?[A-Z]{0,6}[ ./_-]?\Z", re.IGNORECASE | re.ASCII)
_MAX_HEAD = 9

_LABELS = (
    r"ssn|itin|social security|national insurance|ni\b|nino|nhs|pps|sin\b(?!-)|tax(?:payer)? id|passport|pass\b|driv(?:ing|er'?s?) licen[cs]e"
    r"|identity card|id card|national id|aadhaar|steuer-?id\w*|steuer-?identifikationsnummer|idnr|sozialversicherungs\w*"
    r"|sv-nummer|rentenversicherungs\w*|ahv|reisepass\w*|personalausweis\w*|ausweis\w*|führerschein\w*|sécurité sociale"
    r"|sécu|nir|carte d'identité|passeport|permis de conduire|dni|nie|nif|seguridad social|pasaporte"
    r"|carn[eé] de conducir|codice fiscale|carta d'identità|passaporto|patente|bsn|burgerservicenummer|paspoort\w*"
    r"|personnummer|cpr|pesel|cpf|hetu|henkilötunnus"
)
_LABELLED = re.compile(
    rf"{START}(?:{_LABELS})(?:[ :#(.-]|number|num|no\b|nr\b|nummer|numéro|número|numero|n[°º]|is\b|ist\b|lautet\b|est\b|es\b"
    r"|è\b|my|card|code|the|le|la|de|di){0,8}"
    rf"{START}((?-i:[A-Z]{{0,5}})[ -]?\d(?-i:[\dA-Z])*+(?:[ ./-](?:(?-i:[A-Z])[ ]?)?\d(?-i:[\dA-Z])*+){{0,8}}(?:[ -]?(?-i:[A-Z]))?){END}",
    re.IGNORECASE,
)
_FIRST_WORDS = tuple(
    """
    ssn itin social national ni nino nhs pps sin tax passport driv identity id aadhaar steuer idnr sozial sv
    renten ahv reisepass personalausweis ausweis führerschein sécurité sécu nir carte passeport permis dni nie nif
    seguridad pasaporte carn codice carta passaporto patente bsn burgerservice paspoort personnummer cpr pesel cpf hetu
    henkilötunnus
    """.split()
)
_BEGINNINGS = frozenset(word[:3] for word in _FIRST_WORDS)
_MIN_DIGITS, _MAX_DIGITS = 6, 15
_MIXED_LENGTHS = range(8, 17)
_GROUP_END = re.compile(r"[ ./-]")


def find_identity_numbers(text: str) -> Iterator[Span]:
    spans = [*_find_by_shape(text), *_find_by_label(text)]
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end, "ID"


def _find_by_shape(text: str) -> Iterator[tuple[int, int]]:
    previous_end = 0
    for start in _find_possible_starts(text):
        if start < previous_end or not _ANY.match(text, start):
            continue
        ends = [match.end() for pattern, valid in _CHECKED if (match := pattern.match(text, start)) and valid(match[0])]
        if ends:
            previous_end = max(ends)
            yield start, previous_end


def _find_possible_starts(text: str) -> Iterator[int]:
    """Yield possible starts in order: at digits, and at one to nine letters directly before them."""
    for digits in _DIGITS.finditer(text):
        start = digits.start()
        before = text[max(0, start - 1) : start]
        if before.isalpha() or before in (" ", "-", ".", "/", "_"):
            low = max(0, start - _MAX_HEAD)
            while head := _HEAD.search(text, low, start):
                yield head.start()
                low = head.start() + 1
        yield start


def _find_by_label(text: str) -> Iterator[tuple[int, int]]:
    words = word_set(text)
    if _BEGINNINGS.isdisjoint([word[:3] for word in words]):
        return
    label_words = frozenset(word for word in words if word.startswith(_FIRST_WORDS))
    for start in find_word_starts(text, label_words):
        if match := _LABELLED.match(text, start):
            candidate = _drop_excess_groups(match[1])
            if _is_long_enough(candidate):
                yield match.start(1), match.start(1) + len(candidate)


def _drop_excess_groups(candidate: str) -> str:
    """Remove last groups until the digits do not exceed `_MAX_DIGITS`: another number may follow."""
    groups = list(_GROUP_END.finditer(candidate))
    while groups and sum(map(str.isdigit, candidate)) > _MAX_DIGITS:
        candidate = candidate[: groups.pop().start()]
    return candidate


def _is_long_enough(candidate: str) -> bool:
    """Return whether there are six digits, or four among eight characters (passports contain letters)."""
    digits = sum(map(str.isdigit, candidate))
    return _MIN_DIGITS <= digits <= _MAX_DIGITS or (
        digits >= _MIN_DIGITS - 2 and sum(map(str.isalnum, candidate)) in _MIXED_LENGTHS
    )
