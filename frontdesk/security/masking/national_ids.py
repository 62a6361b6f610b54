# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Numbers that a state gives a person: by shape and checksum, or by the word before them.

A shape that other numbers share (eleven bare digits) counts only after its name; after its name a number counts even
with a typing error in it. Checksums are python-stdnum's. Not known: dates of birth.
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

from frontdesk.security.masking.spans import END, START, Found

_NINO_PREFIX_NEVER_GIVEN = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
"""National Insurance Manual NIM39110."""


def _is_nino(candidate: str) -> bool:
    return candidate[:2].upper() not in _NINO_PREFIX_NEVER_GIVEN


def _is_dni(candidate: str) -> bool:
    return bool(dni.is_valid(candidate.replace(".", "")))


def _is_social_security_number(candidate: str) -> bool:
    return bool(ssn.is_valid(candidate) or itin.is_valid(candidate))


_SHAPES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{3}-\d\d-\d{4}", _is_social_security_number),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", _is_nino),
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
)
_CHECKED = tuple((re.compile(f"{shape}{END}", re.IGNORECASE | re.ASCII), valid) for shape, valid in _SHAPES)
_ANY = re.compile(rf"(?=[A-Z\d]){START}(?:{'|'.join(shape for shape, _ in _SHAPES)}){END}", re.IGNORECASE | re.ASCII)

_NAMES = (
    r"ssn|itin|social security|national insurance|ni\b|nino|nhs|pps|sin\b|tax(?:payer)? id|passport|driv(?:ing|er'?s?) licen[cs]e"
    r"|identity card|id card|national id|aadhaar|steuer-?id\w*|steuer-?identifikationsnummer|idnr|sozialversicherungs\w*"
    r"|sv-nummer|rentenversicherungs\w*|ahv|reisepass\w*|personalausweis\w*|ausweis\w*|führerschein\w*|sécurité sociale"
    r"|sécu|nir|carte d'identité|passeport|permis de conduire|dni|nie|nif|seguridad social|pasaporte"
    r"|carn[eé] de conducir|codice fiscale|carta d'identità|passaporto|patente|bsn|burgerservicenummer|paspoort\w*"
    r"|personnummer|cpr|pesel|cpf|hetu|henkilötunnus"
)
_NAMED = re.compile(
    rf"{START}(?:{_NAMES})(?:[ :#(.-]|number|num|no\b|nr\b|nummer|numéro|número|numero|n[°º]|is\b|ist\b|lautet\b|est\b|es\b"
    r"|è\b|my|card|code|the|le|la|de|di){0,8}"
    rf"{START}((?-i:[A-Z]{{0,3}})[ -]?\d(?-i:[\dA-Z])*+(?:[ ./-]\d(?-i:[\dA-Z])*+){{0,8}}(?:[ -]?(?-i:[A-Z]))?){END}",
    re.IGNORECASE,
)
_MIN_DIGITS, _MAX_DIGITS = 6, 15


def national_ids(text: str) -> Iterator[Found]:
    found = [*_by_shape(text), *_by_name(text)] if _ANY.search(text) else [*_by_name(text)]
    done = 0
    for start, end in sorted(found):
        if start >= done:
            done = end
            yield start, end, "ID"


def _by_shape(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while found := _ANY.search(text, at):
        start = found.start()
        ends = [match.end() for pattern, valid in _CHECKED if (match := pattern.match(text, start)) and valid(match[0])]
        if ends:
            yield start, max(ends)
        at = max(ends, default=start + 1)


def _by_name(text: str) -> Iterator[tuple[int, int]]:
    for found in _NAMED.finditer(text):
        if _MIN_DIGITS <= sum(map(str.isdigit, found[1])) <= _MAX_DIGITS:
            yield found.span(1)
