# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Number plates, passports and identity cards: by the word before them, and plates of a form of their own.

"Kennzeichen: HH-QZ 4418"    "the plate was AB12 XYZ"    "FH-207-KD"    "Reisepass C4J7K9R2L"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons import reference_words
from frontdesk.masking.spans import END, START, Span

_PLATE_WORDS = (
    r"registration|number plate|licen[cs]e plate|plates?|vrn|vehicle reg|car|immatriculation|plaque|kennzeichen|nummernschild|kfz|matrícula|placa|targa|kenteken"
    r"|nr rejestracyjny|rejestracyjny|rejestracja|tablica|registreringsnummer|plaka"
)
_DOCUMENT_WORDS = (
    r"passports?(?: number)?|passeports?|reisepass|ausweisnummer|personalausweis|ausweis|passnummer|paspoort(?:nummer)?|pasaporte|passaporto|passaporte|dowód(?: osobisty)?|paszport"
    r"|pass(?:-?nr\.?|port)|identity card|id card|carte d['’]identité|carta d['’]identità|cartão de cidadão|identiteitskaart"
)
_LINK = r"(?:[ :#(.,=*-]|number|no\b|nr\b|n[°º]|numéro|nummer|number is|número|numero|is\b|was\b|ist\b|lautet\b|est\b|es\b|è\b|era\b|of my car|again|von ihr|von mir|it['’]s|moich|mojego|mijn|my){0,8}"
_PLATE = r"(?-i:(?=[A-ZÄÖÜ\d -]{0,10}[A-ZÄÖÜ])(?=[A-ZÄÖÜ -]{0,8}\d)[A-ZÄÖÜ\d]{1,5}(?:[ -]{1,2}[A-ZÄÖÜ\d]{1,5}){1,3}|(?=[A-Z]{1,4}\d|\d{1,4}[A-Z])[A-Z\d]{5,8})"
_LABELLED_PLATE = re.compile(rf"{START}(?:{_PLATE_WORDS})(?![^\W_]){_LINK}(?P<code>{_PLATE}){END}", re.IGNORECASE)
_LABELLED_DOCUMENT = re.compile(
    rf"{START}(?:{_DOCUMENT_WORDS})(?![^\W_]){_LINK}(?P<code>(?-i:(?=[A-Z]{{0,4}}\d|[A-Z\d]{{2,4}}\d)[A-Z\d]{{7,12}}|[A-Z]{{2,3}} \d{{6,7}})){END}",
    re.IGNORECASE,
)
_SURE_PLATE = re.compile(
    rf"{START}(?<![-/])(?:(?P<uk>[A-HJ-PR-Y]{{2}}\d\d [A-HJ-PR-Z]{{3}})|[A-HJ-NP-TV-Z]{{2}}-\d{{3}}-[A-HJ-NP-TV-Z]{{2}}|[A-Z]{{2}}-\d\d-[A-Z]{{2}}"
    rf"|[1-9]-[A-Z]{{3}}-\d{{3}}|[A-ZÄÖÜ]{{1,3}}-[A-Z]{{1,2}} \d{{1,4}}[EH]?){END}(?![-/]\w)"
)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[:#. ]{1,3}\Z")


def find_document_numbers(text: str) -> Iterator[Span]:
    """Yield plates and numbers of identity documents."""
    spans = [match.span("code") for match in _LABELLED_PLATE.finditer(text)]
    spans += [match.span("code") for match in _LABELLED_DOCUMENT.finditer(text)]
    for match in _SURE_PLATE.finditer(text):
        before = _WORD_BEFORE.search(text[max(0, match.start() - 24) : match.start()])
        if not (before and reference_words.announced_number_kind(before[1].lower())):
            spans.append(match.span())
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end, "ID"


_MAY_HAVE_DOCUMENT = re.compile(
    r"[A-Z]\d\d [A-Z]{3}|[A-Z]-\d{2,3}-[A-Z]|\d-[A-Z]{3}-\d|[A-Z]-[A-Z]{1,2} \d"
    r"|(?i:plate|registration|vrn|\bcar\b|immatric|plaque|kennzeichen|nummernschild|kfz|matrícula|placa|targa|kenteken|rejestr|tablica|plaka"
    r"|passp|passe|reisep|ausweis|passn|paspo|pasap|passap|dowód|paszp|identi)"
)


def may_have_document_number(text: str) -> bool:
    """Return whether a word announces a plate or document, or a code has the form of a plate."""
    return _MAY_HAVE_DOCUMENT.search(text) is not None
