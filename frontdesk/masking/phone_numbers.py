"""Telephone numbers by the formats of numbering plans, and other numbers by the word before them.

No library is used: a library with the plan of each country needs the country, which a message does not state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.spans import END, NUMBER, Span, find_word_starts

# International; trunk prefix 0, a first group of at most six digits, nine digits in all; the groups of ten- and
# nine-digit plans without a prefix; mobile numbers in one piece (UK 07, DE 015-017, FR 06 and 07).
_GAP = r"[ \u00a0./()-]{0,3}"
_TRUNK = "|".join(rf"\d{{{n}}}\)?[ \u00a0/-](?:[ \u00a0/()-]{{0,3}}\d){{{8 - n},10}}" for n in range(1, 6))
_PHONE = re.compile(
    rf"(?:(?<=\+)[1-9]|00[1-9]\d{{0,2}}[ \u00a0./-])(?:{_GAP}\d){{7,13}}{END}"
    rf"|0(?:{_TRUNK}){END}"
    rf"|(?<=\()0\)[1-9](?:{_GAP}\d){{8,9}}{END}"
    rf"|0\d(?:\.\d\d){{4}}{END}"
    rf"|0(?:7[1-9]\d{{8}}|1[567]\d{{8,9}}|[67]\d{{8}}){END}"
    rf"|(?:1[ .-])?\(?[2-9]\d\d(?:\) ?|[ .-])[2-9]\d\d[ .-]\d{{4}}{END}"
    rf"|[89]\d \d{{3}} \d\d \d\d{END}"
    rf"|3[2-9]\d[ -]\d{{6,7}}{END}"
    rf"|[2-9]\d\d(?:(?:[ -]\d{{3}}){{2}}|(?:[ -]\d\d){{3}}){END}"
)
_GROUPS = re.compile(rf"\d(?:{_GAP}\d){{6,13}}{END}")
_WORDS = (
    r"phone|telephone|mobile|cell|tel|call|ring|text|whatsapp|sms|fax|landline|handy|mobil|telefon|rückruf|anrufen|festnetz"
    r"|téléphone|portable|téléphoner|joignable|teléfono|móvil|llamar|llámame|llamarme|fijo|telefono|cellulare|chiamatemi"
    r"|chiamare|fisso"
)
_CALL_WORDS = frozenset(word + end for word in _WORDS.split("|") for end in ("", "nummer", "s", "nr"))
_CONNECTION = re.compile(
    r"[^\W\d_]+"
    r"(?:[ .:#]|me |us |back |at |on |under |unter |au |al |en |is |ist |est |es |è |number |numbers |no\b|nr\b|nummer "
    r"|número |numero |numéro |my |mein |meine |mon |mi |il |mio |auf |der |einer |sur |le |du |de |di |a |to ){1,8}",
    re.IGNORECASE,
)


def phone_end(text: str, start: int) -> int:
    """Return the end of a telephone number that starts at `start`, judged by its format only, or -1."""
    match = _PHONE.match(text, start)
    return match.end() if match else -1


def find_phones(text: str) -> Iterator[Span]:
    previous_end = 0
    announced: frozenset[int] | None = None
    for number in NUMBER.finditer(text):
        start = number.start()
        if start < previous_end:
            continue
        match = _PHONE.match(text, start)
        if not match and (match := _GROUPS.match(text, start)):
            announced = _find_starts_after_phone_words(text) if announced is None else announced
            match = match if start in announced else None
        if match:
            previous_end = match.end()
            before = text[start - 1 : start]
            opened = before == "(" and match[0].count(")") > match[0].count("(")
            yield start - (before == "+" or opened), previous_end, "PHONE"


def _find_starts_after_phone_words(text: str) -> frozenset[int]:
    """Return the ends of phrases that announce a telephone number ("ring me at ")."""
    links = (_CONNECTION.match(text, start) for start in find_word_starts(text, _CALL_WORDS))
    return frozenset(link.end() for link in links if link)
