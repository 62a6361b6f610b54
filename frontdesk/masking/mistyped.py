# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Cards and IBANs with a typing error: by the word before them, or only by their groups.

"card no. 4111 1111 1111 1112"    "4111-1111-1111-111O"    "IBAN DE89 3704 0044 0532 0130 01"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.banking import iban_length
from frontdesk.masking.lexicons.link_words import LINK_WORDS, words_pattern
from frontdesk.masking.spans import Span, drop_overlaps, find_word_starts

_DIGIT = r"[\dOoIl]"
_OWN_LINK_WORDS = (
    "in with mit visa mastercard credit debit bancaire bleue crédit crédito débito credito ending account konto"
)
_LINK = rf"(?:[ \n:=#.,;()\"'„“”>-]|{words_pattern(*LINK_WORDS, *_OWN_LINK_WORDS.split())}|n[°º]){{0,12}}"
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
_MIN_DIGITS = 11

_IBAN_GROUPS = re.compile(
    r"(?<![^\W\d_])([A-Z]{2})[\dOo]{2}(?P<by>[ -])(?:[A-Z]{4}|(?=[A-Z]{0,3}\d)[A-Z\d]{4})(?:(?P=by)(?=[A-Z]{0,3}\d)[A-Zol\d]{4}){1,7}(?:(?P=by)(?=[A-Z]{0,3}\d)[A-Zol\d]{1,5})?(?![^\W_])"
)
_ANNOUNCED_IBAN = re.compile(
    rf"iban{_LINK}([A-Z]{{2}}[\dO]{{2}}(?:[^\w\0]{{0,3}}[A-Z]{{4}}(?=[^\w\0]{{0,3}}\d))?(?:[^\w\0]{{0,3}}(?=[A-Z]{{0,3}}\d)[A-Z\d]{{1,30}}){{2,16}})",
    re.IGNORECASE,
)
_MIN_IBAN, _MAX_IBAN = 12, 36

_IBAN_WORDS = frozenset(("iban", "ibannummer", "ibans"))
MISTYPED_WORDS = _CARD_WORDS | _IBAN_WORDS
_LOOKS_MISTYPED = re.compile(rf"{_GROUPS.pattern}|\d[\dOo][ -](?<=[A-Z]{{2}}\d[\dOo][ -])")


def may_have_mistyped_number(text: str) -> bool:
    """Return whether digits are grouped as in a card or an IBAN."""
    return _LOOKS_MISTYPED.search(text) is not None


def find_mistyped_cards(text: str) -> Iterator[Span]:
    """Yield numbers grouped as in a card, and numbers of similar length after a word that announces a card."""
    for start, end in drop_overlaps([*_find_grouped_cards(text), *_find_labelled_cards(text)]):
        yield start, end, "CARD"


def _find_grouped_cards(text: str) -> Iterator[tuple[int, int]]:
    if _GROUPS.search(text):
        for match in _GROUPED_CARD.finditer(text):
            if (
                _count_digits(match[0]) >= _MIN_DIGITS
                and not _YEARS.fullmatch(match[0])
                and not _OTHER_NUMBER.search(text, max(0, match.start() - 36), match.start())
            ):
                yield match.span()


def _find_labelled_cards(text: str) -> Iterator[tuple[int, int]]:
    if not _TWELVE.search(text):
        return
    for start in find_word_starts(text, _CARD_WORDS):
        if (match := _ANNOUNCED_CARD.match(text, start)) and not _OTHER_CARD.search(text, max(0, start - 14), start):
            end = _trim_end(text, match.start(1), match.end(1), _MAX_CARD)
            value = text[match.start(1) : end]
            if _count_alphanumerics(value) >= _MIN_CARD and _count_digits(value) >= _MIN_DIGITS:
                yield match.start(1), end


def find_mistyped_ibans(text: str) -> Iterator[Span]:
    """Yield account numbers grouped as an IBAN with a valid country code, and characters after the word "IBAN"."""
    if not _TWELVE.search(text):
        return
    spans = [
        match.span() for match in _IBAN_GROUPS.finditer(text) if iban_length(match[1]) and _has_iban_length(match[0])
    ]
    for start in find_word_starts(text, _IBAN_WORDS):
        if match := _ANNOUNCED_IBAN.match(text, start):
            end = _trim_end(text, match.start(1), match.end(1), _MAX_IBAN)
            if _has_iban_length(text[match.start(1) : end]):
                spans.append((match.start(1), end))
    for start, end in drop_overlaps(spans):
        yield start, end, "IBAN"


def _has_iban_length(value: str) -> bool:
    return _count_alphanumerics(value) >= _MIN_IBAN and _count_digits(value) >= _MIN_IBAN - 4


def _count_alphanumerics(value: str) -> int:
    return sum(map(str.isalnum, value))


def _count_digits(value: str) -> int:
    return sum(map(str.isdigit, value))


def _trim_end(text: str, start: int, end: int, longest: int) -> int:
    """Return the end of a value after removing its last groups until at most `longest` letters and digits remain."""
    while _count_alphanumerics(text[start:end]) > longest:
        while end > start and text[end - 1].isalnum():
            end -= 1
        while end > start and not text[end - 1].isalnum():
            end -= 1
    return end
