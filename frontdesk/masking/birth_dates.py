# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Dates of birth: dates with a word such as "born" or "DOB" before or after them, in ten languages.

    "DOB 12/03/84"    "née Berg le 12 mars 1984"    "am 12.03.1984 in Lyon geboren"    "12.03.1984 (date of birth)"

Dates without such a word are kept, as are dates from 2020 on after "birthday": "for her birthday on 12 June 2026".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons.link_words import LINK_WORDS, words_pattern
from frontdesk.masking.spans import MASKED_CHAR, Span, find_word_starts

_PARTICIPLES = frozenset(
    """
    born geboren geborene geborener geb né née nacido nacida nací nato nata nascido nascida nasci urodzony urodzona urodziłem urodziłam
    ur född født narozen narozena syntynyt doğumlu
    """.split()
)
_CELEBRATIONS = frozenset(
    "birthday birthdays bday geburtstag anniversaire cumpleaños compleanno verjaardag aniversário födelsedag fødselsdag fødselsdagen urodziny doğumgünü".split()
)
BIRTH_WORDS = (
    _PARTICIPLES
    | _CELEBRATIONS
    | frozenset(
        """
        dob birth birthdate geburtsdatum geburtsdaten naissance nacimiento nacimento nascita geboortedatum födelsedatum födelsedata nascimento
        urodzenia doğum fødselsdato narození syntymäaika
        """.split()
    )
)
_OWN_LINK_WORDS = "a am op in i date datum data fecha wurde ich bin no em dia día dzień dnia giorno jour jours tag tarihi tarih d den il elle er sie le el mi mein mon my dob"
_LINK = rf"(?:[ \n:=.,()*/-]|{words_pattern(*LINK_WORDS, *_OWN_LINK_WORDS.split())}|dd|mm|yyyy|yy|tt|jjjj){{0,12}}"
_PLACE = rf"(?:[ ]?,?[ ](?:(?:in|à|a|en|em|te|w|we|zu|i|as)[ ])?(?:(?-i:[^\W\d_a-zß-öø-ÿ])[^\W\d_]{{1,20}}(?:-[^\W\d_]{{2,20}}){{0,3}}|{MASKED_CHAR}{{1,40}})){{1,3}}"
"""A place or a name between the word and the date: "née Berg à Lyon le 12 mars 1984"."""
_MONTH = r"(?:jan|feb|fév|fev|sty|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|abr|out|dez|set|ocak|şub|nis|haz|tem|ağu|eyl|eki|kas|ara|mar|mär|maa|apr|avr|abr|mai|may|mag|mei|jun|jui|giu|jul|lug|aug|aoû|ago|sep|set|oct|okt|ott|nov|dec|dez|déc|dic|ene|gen)[^\W\d_]{0,8}\.?"
_DATE = (
    r"(?:\d{1,4}[ ]?[./-][ ]?\d{1,2}[ ]?[./-][ ]?\d{2,4}|\d{1,2} \d{1,2} \d{4}|(?:19|20)\d{6}|\d{8}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ ./-]?(?:of |de )?{_MONTH},?[ ./-](?:de |del )?(?:['’]?\d{{2}}(?!\d)|\d{{4}})"
    rf"|{_MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?,? (?:of )?\d{{4}}|{_MONTH},? (?:de )?(?:19|20)\d\d"
    rf"|(?:19|20)\d\d[ -]{_MONTH}[ -]\d{{1,2}}|(?:19|20)\d\d(?![./-]?\d))"
)
_TIME = r"(?:[T ]\d\d:\d\d(?::\d\d)?[\d.,]{0,9}(?:Z|[+-]\d\d:?\d\d)?)?"
_HAS_DATE = re.compile(r"\d\d|\d[ ]?[./-][ ]?\d")
_AFTER_WORD = re.compile(rf"[^\W\d_]+{_LINK}(?P<date>{_DATE}{_TIME})(?![^\W_])", re.IGNORECASE)
_AFTER_PARTICIPLE = re.compile(rf"[^\W\d_]+\.?{_PLACE}{_LINK}(?P<date>{_DATE}{_TIME})(?![^\W_])", re.IGNORECASE)
_BEFORE_WORD = re.compile(
    rf"(?<![^\W_])(?<!\d[./-])(?P<date>{_DATE})"
    rf"(?:(?:{_PLACE})?[ ](?:is |was )?(?:geboren|geb\.|born|doğumlu|født|född|syntynyt|geb(?=[ ,.]|\Z))|[ ]?\([ ]?(?:d\.?o\.?b\.?|born|date of birth|geb\.?|geburtsdatum|date de naissance|fecha de nacimiento|data di nascita|geboortedatum)[ ]?\))(?![^\W_])",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:20[2-9]\d)(?!\d)")


def find_birth_dates(text: str) -> Iterator[Span]:
    """Yield dates that a word announces as a date of birth."""
    if not _HAS_DATE.search(text):
        return
    spans: list[tuple[int, int]] = []
    for start in find_word_starts(text, BIRTH_WORDS):
        word = text[start : start + 20].lower()
        match = _AFTER_WORD.match(text, start)
        if not match and _starts_with(word, _PARTICIPLES):
            match = _AFTER_PARTICIPLE.match(text, start)
        if match and not (_starts_with(word, _CELEBRATIONS) and _YEAR.search(match["date"])):
            spans.append(match.span("date"))
    spans += [match.span("date") for match in _BEFORE_WORD.finditer(text)]
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end, "ID"


def _starts_with(text: str, words: frozenset[str]) -> bool:
    word = re.match(r"[^\W\d_]+", text)
    return word is not None and word[0] in words
