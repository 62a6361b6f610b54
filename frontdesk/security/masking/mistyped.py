# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Cards and IBANs with a typing error in them, and dates of birth: by the word before them, or by their groups alone.

"card no. 4111 1111 1111 1112"    "4111-1111-1111-111O"    "IBAN DE89 3704 0044 0532 0130 01"    "DOB 1984-03-12"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.security.masking.banking import iban_length
from frontdesk.security.masking.spans import Found, word_starts

_DIGIT = r"[\dOoIl]"
_LINK = (
    r"(?:[ \n:=#.,;()\"'„“”>-]|is\b|was\b|ist\b|war\b|lautet\b|est\b|es\b|è\b|är\b|my\b|the\b|meine?\b|number\b|num\b|no\b|nr\b|nummer\b|numéro\b|número\b|numero\b|n[°º]"
    r"|card\b|karte\b|visa\b|mastercard\b|credit\b|debit\b|bancaire\b|bleue\b|de\b|di\b|crédit\b|crédito\b|débito\b|credito\b|ending\b|in\b|with\b|mit\b|for\b|for\b|and\b|the\b|la\b|le\b|il\b|el\b|account\b|konto\b|to\b){0,12}"
)
_CARD_WORDS = frozenset(
    """
    card cards cc pan visa mastercard maestro amex express discover diners jcb girocard kreditkarte kreditkarten kreditkartennummer debitkarte
    karte kartennummer bankkarte carte tarjeta carta kort kortnummer kreditkort kaart kaartnummer creditcard creditcardnummer kreditkartennr
    """.split()
)
_OTHER_CARD = re.compile(
    r"(?:gift|loyalty|bonus|member|membership|customer|club|library|sim|id|identity|insurance|store|reward|rewards|fidélité|fidelidad|fedeltà|cadeau|regalo|d['’]identité|report|business)[ -]?\Z",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    rf"{_OTHER_CARD.pattern[:-2]}(?:card|karte|carte|tarjeta|carta|kaart|kort)(?: (?:number|no|nr|nummer))?[.:]?[ #]{{0,2}}\Z",
    re.IGNORECASE,
)
_ANNOUNCED_CARD = re.compile(
    rf"[^\W\d_]+{_LINK}(?<![^\W_])([2-6]{_DIGIT}{{1,18}}(?:[^\w\0]{{1,3}}(?=[OoIl]{{0,3}}\d){_DIGIT}{{1,16}}){{0,18}})(?!\d)",
    re.IGNORECASE,
)
_GROUPED_CARD = re.compile(
    rf"(?<![^\W_])(?P<card>[2-6]{_DIGIT}{{3}}(?P<by>[ ._/|·*-]|[ ]-[ ]){_DIGIT}{{4}}(?P=by){_DIGIT}{{4}}(?P=by){_DIGIT}{{4}})(?!\d|[OoIl](?![^\W\d_]))"
    rf"|(?<=[^\W\d_])(?P<glued>[2-6]\d{{3}}(?P<gap>[ -])\d{{4}}(?P=gap)\d{{4}}(?P=gap)\d{{4}})(?!\d)"
    rf"|(?<!\d)(?P<amex>3[47]\d\d(?P<mark>[ -])\d{{6}}(?P=mark)\d{{5}})(?!\d)"
    rf"|(?<!\d)(?P<long>[2-6]\d{{3}}(?P<sep>[ -])\d{{4}}(?P=sep)\d{{4}}(?P=sep)\d{{5,19}})(?!\d)"
)
_GROUPS = re.compile(r"[2-6][\dOoIl]{3}[^\w\n]{1,3}[\dOoIl]{4}|[2-6]\d{3}_\d{4}|3[47]\d\d[ -]\d{6}")
_YEARS = re.compile(r"(?:(?:19|20)\d\d\D{0,3}){4}")
_TWELVE = re.compile(r"\d(?:[^\d\0]{0,6}[\dOoIl]){10}")
_MIN_CARD, _MAX_CARD = 12, 19
_MIN_REAL = 11

_IBAN_GROUPS = re.compile(
    r"(?<![^\W\d_])([A-Z]{2})[\dOo]{2}(?P<by>[ -])(?:[A-Z]{4}|(?=[A-Z]{0,3}\d)[A-Z\d]{4})(?:(?P=by)(?=[A-Z]{0,3}\d)[A-Zol\d]{4}){1,7}(?:(?P=by)(?=[A-Z]{0,3}\d)[A-Zol\d]{1,5})?(?![^\W_])"
)
_ANNOUNCED_IBAN = re.compile(
    rf"iban{_LINK}([A-Z]{{2}}[\dO]{{2}}(?:[^\w\0]{{0,3}}[A-Z]{{4}}(?=[^\w\0]{{0,3}}\d))?(?:[^\w\0]{{0,3}}(?=[A-Z]{{0,3}}\d)[A-Z\d]{{1,30}}){{2,16}})",
    re.IGNORECASE,
)
_MIN_IBAN, _MAX_IBAN = 12, 36

BIRTH_WORDS = frozenset(
    """
    dob born birth birthdate birthday bday geboren geb geburtsdatum geburtstag née né naissance anniversaire nacimiento nacido nacida
    cumpleaños nascita nato nata compleanno geboortedatum verjaardag född födelsedatum födelsedag birthdays
    """.split()
)
_BIRTH_LINK = r"(?:[ \n:=.,()*-]|is\b|was\b|on\b|the\b|ist\b|am\b|den\b|der\b|le\b|la\b|el\b|il\b|est\b|es\b|è\b|op\b|in\b|date\b|datum\b|date\b|de\b|fecha\b|data\b|of\b|i\b|dd|mm|yyyy|yy|tt|jjjj|/|mein\b|my\b|wurde\b|ich\b|bin\b){0,12}"
_MONTH = r"(?:jan|feb|fév|mar|mär|maa|apr|avr|abr|mai|may|mag|mei|jun|jui|giu|jul|lug|aug|aoû|ago|sep|set|oct|okt|ott|nov|dec|dez|déc|dic|ene|gen)[^\W\d_]{0,8}\.?"
_BIRTH_DATE = (
    r"(?:\d{1,4}[ ]?[./-][ ]?\d{1,2}[ ]?[./-][ ]?\d{2,4}|\d{1,2} \d{1,2} \d{4}|(?:19|20)\d{6}|\d{8}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ -](?:of |de )?{_MONTH},?[ -](?:de |del )?\d{{2,4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|(?:19|20)\d\d(?![./-]?\d))"
)
_DATE = re.compile(r"\d\d|\d[ ]?[./-][ ]?\d")
_BORN = re.compile(rf"[^\W\d_]+{_BIRTH_LINK}({_BIRTH_DATE})(?![^\W_])", re.IGNORECASE)


_IBAN_WORDS = frozenset(("iban", "ibannummer", "ibans"))
MISTYPED_WORDS = _CARD_WORDS | _IBAN_WORDS
_LOOKS_MISTYPED = re.compile(rf"{_GROUPS.pattern}|\d[\dOo][ -](?<=[A-Z]{{2}}\d[\dOo][ -])")


def looks_mistyped(text: str) -> bool:
    """Whether digits stand in the groups of a card or an IBAN."""
    return _LOOKS_MISTYPED.search(text) is not None


def mistyped_cards(text: str) -> Iterator[Found]:
    """Numbers in the groups of a card, and of about its length behind a word that announces one."""
    found = [*_grouped(text), *_announced(text)]
    done = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "CARD"


def _grouped(text: str) -> Iterator[tuple[int, int]]:
    if _GROUPS.search(text):
        for found in _GROUPED_CARD.finditer(text):
            if (
                _real(found[0]) >= _MIN_REAL
                and not _YEARS.fullmatch(found[0])
                and not _OTHER_NUMBER.search(text, max(0, found.start() - 36), found.start())
            ):
                yield found.span()


def _announced(text: str) -> Iterator[tuple[int, int]]:
    if not _TWELVE.search(text):
        return
    for start in word_starts(text, _CARD_WORDS):
        if (found := _ANNOUNCED_CARD.match(text, start)) and not _OTHER_CARD.search(text, max(0, start - 14), start):
            end = _within(text, found.start(1), found.end(1), _MAX_CARD)
            value = text[found.start(1) : end]
            if _length(value) >= _MIN_CARD and _real(value) >= _MIN_REAL:
                yield found.start(1), end


def mistyped_ibans(text: str) -> Iterator[Found]:
    """Account numbers in the groups of an IBAN of their country, and what stands behind the word."""
    if not _TWELVE.search(text):
        return
    found = [match.span() for match in _IBAN_GROUPS.finditer(text) if iban_length(match[1]) and _is_long(match[0])]
    for start in word_starts(text, _IBAN_WORDS):
        if match := _ANNOUNCED_IBAN.match(text, start):
            end = _within(text, match.start(1), match.end(1), _MAX_IBAN)
            if _is_long(text[match.start(1) : end]):
                found.append((match.start(1), end))
    done = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "IBAN"


def _is_long(value: str) -> bool:
    return _length(value) >= _MIN_IBAN and _real(value) >= _MIN_IBAN - 4


def _length(value: str) -> int:
    return sum(map(str.isalnum, value))


def _real(value: str) -> int:
    return sum(map(str.isdigit, value))


def _within(text: str, start: int, end: int, longest: int) -> int:
    """The end of a value without its last groups, where there are more characters than `longest`."""
    while _length(text[start:end]) > longest:
        while end > start and text[end - 1].isalnum():
            end -= 1
        while end > start and not text[end - 1].isalnum():
            end -= 1
    return end


def birth_dates(text: str) -> Iterator[Found]:
    """Dates behind a word that says that somebody was born then."""
    if not _DATE.search(text):
        return
    done = 0
    for start in word_starts(text, BIRTH_WORDS):
        if start >= done and (found := _BORN.match(text, start)):
            done = found.end()
            yield *found.span(1), "ID"
