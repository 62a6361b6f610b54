"""Mask personal data in a message with deterministic patterns and word lists, without a model or lookups.

    mask("Hi Tom, order 48213, mail me at anna@example.com").text
    ->  "Hi [NAME_1], order [ORDER_1], mail me at [EMAIL_1]"

The text is folded once (`frontdesk.folding`), so every finder reads one spelling of spaces, dashes, digits and signs;
placeholders replace characters of the original. Finders run one after the other, with one module per family of values.
Each match is overwritten with NULs before the next finder runs. The module `spans` has the rules that keep `mask`
idempotent and linear in the length of the text.

Not detected by design: passwords; names, addresses, tax numbers and dates of birth without an announcing word; and
languages other than English, German, French, Spanish and Italian (with common forms of Dutch and Swedish).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from frontdesk.folding import FoldedText, fold
from frontdesk.masking.addresses import find_addresses
from frontdesk.masking.allowlist import find_dates_and_amounts, find_dates_in_file_names
from frontdesk.masking.banking import SORT_CODE_WORDS, find_cards, find_ibans, find_sort_codes
from frontdesk.masking.birth_dates import BIRTH_WORDS, find_birth_dates
from frontdesk.masking.document_numbers import find_document_numbers, may_have_document_number
from frontdesk.masking.identity_numbers import find_identity_numbers
from frontdesk.masking.labelled_numbers import BOOKING_CODE, find_labelled_numbers
from frontdesk.masking.lexicons.code_words import CODE_WORDS
from frontdesk.masking.mistyped import (
    MISTYPED_WORDS,
    find_mistyped_cards,
    find_mistyped_ibans,
    may_have_mistyped_number,
)
from frontdesk.masking.name_tagger import NameTagger, find_tagged_names
from frontdesk.masking.person_names import find_names
from frontdesk.masking.phone_numbers import find_phones
from frontdesk.masking.security_codes import find_codes_near_cards, find_security_codes
from frontdesk.masking.separated_digits import (
    find_cards_with_unusual_separators,
    find_ibans_with_unusual_separators,
    find_spelled_cards,
    has_digit_words,
)
from frontdesk.masking.spans import MASKED_NAME_CHAR, Span, drop_nested, overwrite_spans, word_set
from frontdesk.masking.timestamps import find_timestamps, may_have_timestamp
from frontdesk.masking.unlabelled_numbers import find_tracking_numbers, find_unlabelled_identifiers
from frontdesk.masking.unspaced_numbers import find_numbers_touching_letters, separate_words_from_numbers
from frontdesk.masking.unusual_separators import (
    find_addresses_with_unusual_separators,
    find_gaps_left_by_folding,
    find_international_phones,
    find_numbers_with_unusual_separators,
    may_have_unusually_separated_address,
    may_have_unusually_separated_number,
)
from frontdesk.masking.urls_and_emails import (
    BARE_URL_PART,
    find_bare_urls,
    find_emails,
    find_emails_with_word_at,
    find_ip_addresses,
    find_urls,
)
from frontdesk.time_slicing import CooperativeSteps, run_steps
from frontdesk.types import MaskedText

MASKING_VERSION = "5"
"""Part of the feature fingerprint: change it with every change that affects the output of `mask`."""

KINDS = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT", "ID", "IP", "ADDRESS", "NAME", "SECRET")

_TYPED_PLACEHOLDER = re.compile(rf"\[(?P<kind>{'|'.join(KINDS)})_\d{{1,3}}\]")
_ANY_NUMBER = re.compile(rf"\[(?:{'|'.join(KINDS)})_[0-9]+\]")
"""A placeholder with any number: a long message has more than 999 values of one kind."""
_TYPED_NAME = re.compile(r"\[NAME_\d{1,3}\]")
_DIGIT = re.compile(r"\d")
_THREE_DIGITS = re.compile(r"\d(?:\D{0,3}\d){2}")
_SIX_DIGITS = re.compile(r"\d(?:\D{0,6}\d){5}")

_MARKS = frozenset("*`~_")
_OPENING = {">": "<", "]": "["}

Finder = Callable[[str], Iterator[Span]]


def mask(text: str, tagger: NameTagger | None = None) -> MaskedText:
    """Return `text` with personal data replaced by placeholders, numbered in reading order within each kind.

    Equal values get the same placeholder. A placeholder that the customer typed is left unchanged and its number is
    skipped, so it is never restored to another value.
    `mask(text).restore(mask(text).text) == text`, and masking a masked text changes nothing.
    """
    return run_steps(mask_steps(text, tagger))


def mask_steps(text: str, tagger: NameTagger | None = None) -> CooperativeSteps[MaskedText]:
    """Run `mask` as a generator that yields after each finder, so that a long text does not block the event loop."""
    values = yield from find_values_steps(text, tagger)
    if not values.spans:
        return MaskedText(text)
    placeholders = Placeholders((text, values.folded))
    return MaskedText(placeholders.replace(text, values.spans), placeholders.originals)


class FoundValues(NamedTuple):
    """The spans of personal data in a text, in order, and the folded text."""

    spans: list[Span]
    folded: str


def find_values_steps(text: str, tagger: NameTagger | None = None) -> CooperativeSteps[FoundValues]:
    """Find personal data. A generator that yields after each finder.

    With a `tagger`, a second pass finds names that no pattern found (`frontdesk.masking.name_tagger`).
    """
    folded = fold(text)
    if _DIGIT.search(text):
        yield
        folded = separate_words_from_numbers(folded)
    yield
    spans: list[Span] = []
    yield from _find_personal_data(folded, text, spans)
    if tagger:
        typed = [(*typed.span(), typed["kind"]) for typed in _TYPED_PLACEHOLDER.finditer(folded.text)]
        spans += yield from find_tagged_names(folded.text, drop_nested([*spans, *typed]), tagger)
    spans.sort()
    originals = [(*_span_without_closing_markup(text, folded, low, high), kind) for low, high, kind in spans]
    return FoundValues(originals, folded.text)


class Placeholders:
    """The placeholders of one message, numbered within each kind in the order in which values are replaced.

    Equal values get the same placeholder. Placeholders in `texts`, which a customer typed, are skipped.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.originals: dict[str, str] = {}
        """The value of each placeholder."""
        self._typed = frozenset(placeholder for text in texts for placeholder in _ANY_NUMBER.findall(text))
        self._by_value: dict[tuple[str, str], str] = {}
        self._numbers = dict.fromkeys(KINDS, 0)

    def replace(self, text: str, spans: Iterable[Span]) -> str:
        """Return `text` with placeholders instead of the spans, which are in order and do not overlap."""
        pieces: list[str] = []
        copied = 0
        for start, end, kind in spans:
            pieces += text[copied:start], self._placeholder(kind, text[start:end])
            copied = end
        pieces.append(text[copied:])
        return "".join(pieces)

    def continue_after(self, masked: MaskedText) -> None:
        """Use the placeholders of a masked text for its values, and number new ones after them."""
        for placeholder, value in masked.originals.items():
            kind, _, number = placeholder.strip("[]").rpartition("_")
            self._add(kind, value, placeholder)
            self._numbers[kind] = max(self._numbers[kind], int(number))

    def _placeholder(self, kind: str, value: str) -> str:
        placeholder = self._by_value.get((kind, value))
        while placeholder is None:
            self._numbers[kind] += 1
            candidate = f"[{kind}_{self._numbers[kind]}]"
            if candidate not in self._typed:
                placeholder = candidate
                self._add(kind, value, placeholder)
        return placeholder

    def _add(self, kind: str, value: str, placeholder: str) -> None:
        self._by_value[kind, value] = placeholder
        self.originals[placeholder] = value


def _span_without_closing_markup(text: str, folded: FoldedText, low: int, high: int) -> tuple[int, int]:
    """Return the span of `folded.text[low:high]` in the original, without markup that folding removed after it.

    "**4111 1111 1111 1111**" keeps both pairs of asterisks.
    """
    start, end = folded.original_span(low, high)
    inside = folded.positions[high - 1] + 1
    while end > inside:
        if text[end - 1] in _MARKS:
            end -= 1
        elif (opening := _OPENING.get(text[end - 1])) and (at := text.rfind(opening, inside, end)) >= 0:
            end = at
        else:
            break
    return start, end


def _find_personal_data(folded: FoldedText, text: str, spans: list[Span]) -> CooperativeSteps[None]:
    """Add all values to mask to `spans`, as spans of `folded`; a cheap check precedes each finder.

    Cards and IBANs come before addresses, identity numbers and amounts, whose patterns would match a part of their
    groups; telephone numbers before IP addresses, which would match four of the five groups of a French number.
    """
    rest = yield from _find_links_and_emails(folded.text, spans)
    if has_digit_words(rest):
        rest = _apply_finder(find_spelled_cards, rest, spans)
        yield
        rest = _apply_finder(find_security_codes, rest, spans)
        yield
    if _DIGIT.search(rest):
        gaps = find_gaps_left_by_folding(folded)
        has_three_digits = _THREE_DIGITS.search(rest) is not None
        if has_three_digits:
            words = word_set(rest)
            yield
            rest = yield from _find_checksum_numbers(rest, words, spans)
        rest = _apply_finder(find_addresses, rest, spans)
        yield
        if may_have_document_number(rest):
            rest = _apply_finder(find_document_numbers, rest, spans)
            yield
        if may_have_unusually_separated_address(rest, gaps):
            rest = _apply_finder(partial(find_addresses_with_unusual_separators, gaps=gaps), rest, spans)
            yield
        if has_three_digits:
            rest = yield from _find_numbers_without_checksum(rest, words, gaps, spans)
        elif BOOKING_CODE.search(rest):
            rest = _apply_finder(find_labelled_numbers, rest, spans)
        yield
    rest = _restore_dashes(rest, folded, text)
    if "[NAME_" in folded.text:
        rest = _mark_typed_names(rest, folded.text)
    _apply_finder(find_names, rest, spans)


def _find_checksum_numbers(rest: str, words: frozenset[str], spans: list[Span]) -> CooperativeSteps[str]:
    """Find numbers with check digits, mistyped ones, dates of birth, and codes near cards; return the rest."""
    for finder in _CHECKED:
        rest = _apply_finder(finder, rest, spans)
        yield
    if not MISTYPED_WORDS.isdisjoint(words) or may_have_mistyped_number(rest):
        for finder in (find_mistyped_ibans, find_mistyped_cards):
            rest = _apply_finder(finder, rest, spans)
            yield
    if not BIRTH_WORDS.isdisjoint(words):
        rest = _apply_finder(find_birth_dates, rest, spans)
        yield
    if may_have_timestamp(rest):
        rest = _apply_finder(find_timestamps, rest, spans)
        yield
    rest = _apply_finder(find_numbers_touching_letters, rest, spans)
    yield
    if cards := [span for span in spans if span[2] == "CARD"]:
        rest = _apply_finder(partial(find_codes_near_cards, cards=cards), rest, spans)
        yield
    if not CODE_WORDS.isdisjoint(words):
        rest = _apply_finder(find_security_codes, rest, spans)
        yield
    return rest


def _find_links_and_emails(rest: str, spans: list[Span]) -> CooperativeSteps[str]:
    """Find links and e-mail addresses; return `rest` without them and without placeholders that were typed."""
    if "[" in rest:
        rest = overwrite_spans(rest, [(*placeholder.span(), "") for placeholder in _TYPED_PLACEHOLDER.finditer(rest)])
    if "://" in rest or "www." in rest.lower():
        rest = _apply_finder(find_urls, rest, spans)
        yield
    if BARE_URL_PART.search(rest):
        rest = _apply_finder(find_bare_urls, rest, spans)
        yield
    if "@" in rest:
        rest = _apply_finder(find_emails, rest, spans)
        yield
    if " at " in rest.lower():
        rest = _apply_finder(find_emails_with_word_at, rest, spans)
        yield
    return rest


def _find_numbers_without_checksum(
    rest: str, words: frozenset[str], gaps: list[int], spans: list[Span]
) -> CooperativeSteps[str]:
    """Find numbers without check digits; return the rest. Stop if fewer than three digits are close together."""
    finders = _NUMBERS
    if _SIX_DIGITS.search(rest):
        finders = _NUMBERS_AND_IDS if SORT_CODE_WORDS.isdisjoint(words) else (find_sort_codes, *_NUMBERS_AND_IDS)
    for finder in finders:
        before, rest = rest, _apply_finder(finder, rest, spans)
        yield
        if rest is not before and not _THREE_DIGITS.search(rest):
            return rest
    if may_have_unusually_separated_number(rest, gaps) and _SIX_DIGITS.search(rest):
        rest = _apply_finder(partial(find_numbers_with_unusual_separators, gaps=gaps), rest, spans)
        yield
    return _apply_finder(find_unlabelled_identifiers, rest, spans)


def _restore_dashes(rest: str, folded: FoldedText, text: str) -> str:
    """Return `rest` with the long dashes of the original, which mark the end of a sentence for the name finder."""
    if "\u2013" not in text and "\u2014" not in text:
        return rest
    original = (text[position] for position in folded.positions[:-1])
    return "".join(
        dash if char == "-" and dash in _LONG_DASHES else char for char, dash in zip(rest, original, strict=True)
    )


def _mark_typed_names(rest: str, text: str) -> str:
    """Return `rest` with placeholders of names that were typed overwritten by `MASKED_NAME_CHAR`.

    A cue that needs a masked value next to a name does not see names, because they are searched last. So it must not
    see their placeholders when a masked text is masked again.
    """
    for placeholder in _TYPED_NAME.finditer(text):
        start, end = placeholder.span()
        rest = rest[:start] + MASKED_NAME_CHAR * (end - start) + rest[end:]
    return rest


_LONG_DASHES = ("\u2013", "\u2014")
_CHECKED: tuple[Finder, ...] = (
    find_ibans,
    find_ibans_with_unusual_separators,
    find_cards,
    find_cards_with_unusual_separators,
)
_NUMBERS: tuple[Finder, ...] = (
    find_dates_in_file_names,
    find_labelled_numbers,
    find_international_phones,
    find_dates_and_amounts,
    find_phones,
    find_ip_addresses,
)
_NUMBERS_AND_IDS: tuple[Finder, ...] = (
    find_dates_in_file_names,
    find_tracking_numbers,
    find_labelled_numbers,
    find_identity_numbers,
    *_NUMBERS[2:],
)


def _apply_finder(finder: Finder, rest: str, spans: list[Span]) -> str:
    """Add the spans of `finder` to `spans`, except those without a kind (text to keep); return the rest."""
    new_spans = list(finder(rest))
    if not new_spans:
        return rest
    spans += [span for span in new_spans if span[2]]
    return overwrite_spans(rest, new_spans)
