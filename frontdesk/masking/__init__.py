"""Take personal data out of a message: deterministic patterns and word lists, no model, no lookup.

    mask("Hi Tom, order 48213, mail me at anna@example.com").text
    ->  "Hi [NAME_1], order [ORDER_1], mail me at [EMAIL_1]"

The text is folded once (`frontdesk.folding`), so every finder reads one spelling of blanks, dashes, digits and signs; a
placeholder replaces the characters of the original. Kinds are looked for one after the other, a file for each family;
what one has taken is blanked with NULs before the next looks. `spans` has the rules that keep `mask` idempotent and
linear in the length of the text.

Deliberately not known: passwords; names, addresses, tax numbers and dates of birth that nothing announces; and
languages other than English, German, French, Spanish and Italian (with the common forms of Dutch and Swedish).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from frontdesk.folding import Folded, fold
from frontdesk.masking.allowlist import file_dates, kept
from frontdesk.masking.banking import SORT_CODE_WORDS, cards, ibans, sort_codes
from frontdesk.masking.card_codes import card_codes, codes_beside_cards
from frontdesk.masking.glued import glued_numbers, separate_words
from frontdesk.masking.labelled_numbers import LOCATOR, named_numbers
from frontdesk.masking.lexicons.code_words import ANNOUNCING
from frontdesk.masking.mistyped import (
    BIRTH_WORDS,
    MISTYPED_WORDS,
    birth_dates,
    looks_mistyped,
    mistyped_cards,
    mistyped_ibans,
)
from frontdesk.masking.names import names
from frontdesk.masking.national_ids import national_ids
from frontdesk.masking.phones import phones
from frontdesk.masking.postal import postal_addresses
from frontdesk.masking.separated import has_digit_words, separated_cards, separated_ibans, spelled_cards
from frontdesk.masking.spaced import (
    gaps_of,
    is_odd_address,
    is_odd_number,
    odd_addresses,
    odd_numbers,
    odd_telephones,
)
from frontdesk.masking.spans import Found, blanked, words_of
from frontdesk.masking.unlabelled_numbers import parcels, references
from frontdesk.masking.urls_and_emails import BARE_LINK, announced_emails, bare_urls, emails, ips, urls
from frontdesk.turns import Steps, finished
from frontdesk.types import MaskedText

MASKING_VERSION = "4"
"""Part of the feature fingerprint: change it whenever a text could come out of `mask` differently."""

KINDS = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT", "ID", "IP", "ADDRESS", "NAME", "SECRET")

_TYPED_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})_\d{{1,3}}\]")
_DIGIT = re.compile(r"\d")
_THREE_DIGITS = re.compile(r"\d(?:\D{0,3}\d){2}")
_SIX_DIGITS = re.compile(r"\d(?:\D{0,6}\d){5}")

_MARKS = frozenset("*`~_")
_OPENING = {">": "<", "]": "["}

Finder = Callable[[str], Iterator[Found]]


def mask(text: str) -> MaskedText:
    """`text` with personal data replaced by typed placeholders, numbered in reading order within each kind.

    The same value gets the same placeholder. A placeholder that already stands in the text, typed by the customer,
    stays as it is: its number is passed over, so it never stands for, or is restored to, anything else.
    `mask(text).restore(mask(text).text) == text`, and masking a masked text changes nothing.
    """
    return finished(mask_steps(text))


def mask_steps(text: str) -> Steps[MaskedText]:
    """`mask` as a generator that yields after each kind of value, so that a long text does not block an event loop."""
    folded = fold(text)
    if _DIGIT.search(text):
        yield
        folded = separate_words(folded)
    yield
    spans: list[Found] = []
    yield from _find(folded, text, spans)
    spans.sort()
    if not spans:
        return MaskedText(text)
    placeholders: dict[tuple[str, str], str] = {}
    numbers = dict.fromkeys(KINDS, 0)
    pieces: list[str] = []
    done = 0
    for low, high, kind in spans:
        start, end = _without_closing_marks(text, folded, low, high)
        value = text[start:end]
        placeholder = placeholders.get((kind, value))
        if placeholder is None:
            placeholder = placeholders[kind, value] = _next_free(kind, numbers, text, folded.text)
        pieces += text[done:start], placeholder
        done = end
    pieces.append(text[done:])
    return MaskedText("".join(pieces), {placeholder: value for (_, value), placeholder in placeholders.items()})


def _without_closing_marks(text: str, folded: Folded, low: int, high: int) -> tuple[int, int]:
    """The span of the original behind `folded.text[low:high]`, without markup that folding has removed after it.

    "**4111 1111 1111 1111**" keeps both pairs of stars.
    """
    start, end = folded.span(low, high)
    inside = folded.positions[high - 1] + 1
    while end > inside:
        if text[end - 1] in _MARKS:
            end -= 1
        elif (opening := _OPENING.get(text[end - 1])) and (at := text.rfind(opening, inside, end)) >= 0:
            end = at
        else:
            break
    return start, end


def _next_free(kind: str, numbers: dict[str, int], text: str, folded: str) -> str:
    """The next placeholder that the customer has typed in no spelling: "[ORDER_1]" with a soft hyphen is one too."""
    while True:
        numbers[kind] += 1
        placeholder = f"[{kind}_{numbers[kind]}]"
        if placeholder not in text and placeholder not in folded:
            return placeholder


def _find(folded: Folded, text: str, spans: list[Found]) -> Steps[None]:
    """Add everything to be masked to `spans`, as spans of `folded`; a cheap check precedes each kind.

    Cards and IBANs come before addresses, identities and kept amounts, whose patterns would cut into their groups;
    telephones before IPs, which would take four of the five groups of a French number.
    """
    rest = yield from _without_links(folded.text, spans)
    if has_digit_words(rest):
        rest = _take(spelled_cards, rest, spans)
        yield
        rest = _take(card_codes, rest, spans)
        yield
    if _DIGIT.search(rest):
        gaps = gaps_of(folded)
        enough = _THREE_DIGITS.search(rest) is not None
        if enough:
            words = words_of(rest)
            yield
            rest = yield from _checked_numbers(rest, words, spans)
        rest = _take(postal_addresses, rest, spans)
        yield
        if is_odd_address(rest, gaps):
            rest = _take(partial(odd_addresses, gaps=gaps), rest, spans)
            yield
        if enough:
            rest = yield from _take_numbers(rest, words, gaps, spans)
        elif LOCATOR.search(rest):
            rest = _take(named_numbers, rest, spans)
        yield
    _take(names, _with_dashes(rest, folded, text), spans)


def _checked_numbers(rest: str, words: frozenset[str], spans: list[Found]) -> Steps[str]:
    """Take numbers with check digits, mistyped ones, dates of birth, and the codes near cards; return the rest."""
    for finder in _CHECKED:
        rest = _take(finder, rest, spans)
        yield
    if not MISTYPED_WORDS.isdisjoint(words) or looks_mistyped(rest):
        for finder in (mistyped_ibans, mistyped_cards):
            rest = _take(finder, rest, spans)
            yield
    if not BIRTH_WORDS.isdisjoint(words):
        rest = _take(birth_dates, rest, spans)
        yield
    rest = _take(glued_numbers, rest, spans)
    yield
    if cards := [span for span in spans if span[2] == "CARD"]:
        rest = _take(partial(codes_beside_cards, cards=cards), rest, spans)
        yield
    if not ANNOUNCING.isdisjoint(words):
        rest = _take(card_codes, rest, spans)
        yield
    return rest


def _without_links(rest: str, spans: list[Found]) -> Steps[str]:
    """Return `rest` without typed placeholders, links and e-mail addresses; add the last two to `spans`."""
    if "[" in rest:
        rest = blanked(rest, [(*typed.span(), "") for typed in _TYPED_PLACEHOLDER.finditer(rest)])
    if "://" in rest or "www." in rest.lower():
        rest = _take(urls, rest, spans)
        yield
    if BARE_LINK.search(rest):
        rest = _take(bare_urls, rest, spans)
        yield
    if "@" in rest:
        rest = _take(emails, rest, spans)
        yield
    if " at " in rest.lower():
        rest = _take(announced_emails, rest, spans)
        yield
    return rest


def _take_numbers(rest: str, words: frozenset[str], gaps: list[int], spans: list[Found]) -> Steps[str]:
    """Take numbers of every kind without check digits, where three digits stand together; return the rest."""
    finders = _NUMBERS
    if _SIX_DIGITS.search(rest):
        finders = _NUMBERS_AND_IDS if SORT_CODE_WORDS.isdisjoint(words) else (sort_codes, *_NUMBERS_AND_IDS)
    for finder in finders:
        before, rest = rest, _take(finder, rest, spans)
        yield
        if rest is not before and not _THREE_DIGITS.search(rest):
            return rest
    if is_odd_number(rest, gaps) and _SIX_DIGITS.search(rest):
        rest = _take(partial(odd_numbers, gaps=gaps), rest, spans)
        yield
    return _take(references, rest, spans)


def _with_dashes(rest: str, folded: Folded, text: str) -> str:
    """`rest` with the long dashes of the original: names tell the end of a sentence by them."""
    if "\u2013" not in text and "\u2014" not in text:
        return rest
    original = (text[position] for position in folded.positions[:-1])
    return "".join(
        dash if char == "-" and dash in _LONG_DASHES else char for char, dash in zip(rest, original, strict=True)
    )


_LONG_DASHES = ("\u2013", "\u2014")
_CHECKED: tuple[Finder, ...] = (ibans, separated_ibans, cards, separated_cards)
_NUMBERS: tuple[Finder, ...] = (file_dates, named_numbers, odd_telephones, kept, phones, ips)
_NUMBERS_AND_IDS: tuple[Finder, ...] = (file_dates, parcels, named_numbers, national_ids, *_NUMBERS[2:])


def _take(finder: Finder, rest: str, spans: list[Found]) -> str:
    """Add the spans that `finder` yields to `spans`, except those without a kind (text to keep); return the rest."""
    new_spans = list(finder(rest))
    if not new_spans:
        return rest
    spans += [span for span in new_spans if span[2]]
    return blanked(rest, new_spans)
