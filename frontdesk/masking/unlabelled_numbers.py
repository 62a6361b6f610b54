# ruff: noqa: E501  -- lists and patterns read better unbroken
"""References without a label: long numbers, codes of letters and digits, and numbers after "#".

The kind of a bare number cannot be determined: long ones are masked as ORDER.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.allowlist import CURRENCY_CODES
from frontdesk.masking.spans import START, Span

_TOKEN = re.compile(
    rf"{START}(?<![^\W_]-)(?:(?:19|20)\d\d/\d{{3,6}}(?![^\W_])|[A-Z]{{1,5}}(?:[-/]\d{{2,8}}){{2,3}}(?![^\W_])|(?:[^\W\d_]++(?:(?=-[^\W\d_])-[^\W\d_]++)*+-?)?+\d[^\W_]*+(?:(?=-[^\W_])-[^\W_]++)*+(?:(?:/(?:19|20)\d\d|(?<=\d{{4}})/\d\d)(?![^\W_/]))?)"
)
_CODE = re.compile(
    r"(?!0x)"
    rf"(?!(?:{CURRENCY_CODES})\d+\Z)"
    r"(?:.*\d{6}|\d{3,}(?:-\d{2,}){2}|\d{5,}-[a-z]\Z|[a-z]{1,4}-?\d{5}|[a-z]{1,4}(?:[-/]\d+){2}"
    r"|(?:order|ord|inv|invoice|po|rma|ref|trk|tkt|ticket|so|case)-?\d{3})",
    re.IGNORECASE,
)
_PARCEL = re.compile(rf"{START}(?:[A-Z]{{2}}|\d[A-Z]) ?\d{{3}} ?\d{{3}} ?\d{{3}} ?[A-Z]{{2}}(?![^\W_])")
_PARCEL_END = re.compile(r"\d{3} ?[A-Z]{2}(?![^\W_])")
_LABEL_BEFORE = re.compile(r"(?:(#)|(?:number|\b(?:no|nr|num)\.)[ :#]*(?:(?:is|:)[ ]?)?)\Z", re.IGNORECASE)
_COUNTED = re.compile(
    r" (?:views|points|punkte|points|puntos|punti|followers?|likes|subscribers|downloads|miles|meilen|steps|people|users|customers|visitors|visits|times"
    r"|records|rows|words|files|copies|units|pixels|kilometers?|kilometres|km|aufrufe|klicks|clicks|abonnenten|schritte|menschen|kunden|nutzer|vues|abonnés"
    r"|personnes|personas|visitas|seguidores|visualizzazioni|persone|coins|credits|tokens|stars|reviews|items|pieces|inhabitants|einwohner)(?![^\W_])",
    re.IGNORECASE,
)
"""Words for counted things: the number before them is not a reference."""
_BEFORE = 12
_MIN_DIGITS, _MIN_DIGITS_ALONE = 3, 5


def find_tracking_numbers(text: str) -> Iterator[Span]:
    """Yield tracking numbers of the Universal Postal Union (S10): "RM 447 120 993 GB"."""
    if _PARCEL_END.search(text):
        for match in _PARCEL.finditer(text):
            yield *match.span(), "ORDER"


def find_unlabelled_identifiers(text: str) -> Iterator[Span]:
    """Yield identifiers without a label of their kind: "#482", "number 64011", "7712345", "AB-77120".

    A value that is found once is also masked in other places of the text.
    """
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    references = {text[start:end] for start, end in tokens if _is_unlabelled_identifier(text, start, end)}
    for start, end in tokens:
        if text[start:end] in references:
            yield start, end, "ORDER"


def _is_unlabelled_identifier(text: str, start: int, end: int) -> bool:
    token = text[start:end]
    digits = sum(map(str.isdigit, token))
    if digits < _MIN_DIGITS:
        return False
    if _CODE.match(token):
        return not (token.isdigit() and _COUNTED.match(text, end))
    label = _LABEL_BEFORE.search(text, max(0, start - _BEFORE), start)
    return label is not None and digits >= (_MIN_DIGITS if label[1] else _MIN_DIGITS_ALONE)
