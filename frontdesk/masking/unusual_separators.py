"""Numbers and addresses with unusual separators: line breaks, dashes, invisible characters.

    "+49\\n30\\n1234567"    "123_45_6789"    "Berliner-Straße-12,-10115-Berlin"    "0 2 0 7 9 4 6 0 9 5 8"

`replace_separators_by_spaces` returns a view of the text, with positions, in which each separator is one space. The
finders of the usual formats search that view. They run only on text that their first pass has not masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from frontdesk.folding import FoldedText, insert_spaces, replace_matches
from frontdesk.masking.addresses import find_street_addresses
from frontdesk.masking.identity_numbers import find_identity_numbers
from frontdesk.masking.phone_numbers import find_phones, phone_end
from frontdesk.masking.spans import Span

_ODD_NUMBER = re.compile(
    r"[\dA-Z)+][ ,.:/-]{0,2}[\n_|*~•·:;,./-][ ,.:/-]{0,2}[\dA-D(]|(?<![^\W_])\d(?: \d){8}(?![^\W_])"
)
_ODD_ADDRESS = re.compile(r"[\n-](?:(?=[ ]?\d)|(?<=\d[\n-])|(?<=\d[, ][\n-]))")
_LINE_OR_DASH = re.compile(r"(?<=[^\W_])(,?)[ ]?[\n-][ \n-]*(?=[^\W_(+])")
_BETWEEN_DIGITS = re.compile(
    r"(?<=[^\W_])[ _|*~•·:;.,/\n-]{1,4}(?=[\d(])|(?<=[+)])[ _|*~•·:;.,/\n-]{1,4}(?=[\d(])"
    r"|(?<=\d)[ _|*~•·:;.,/\n-]{1,4}(?=[A-Z](?![^\W_]))"
)
_INTERNATIONAL = re.compile(
    r"\+(?!\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?(?![^\W_]))(?:[^\w\0+]{0,4}|_)"
    r"[1-9]\d*+(?P<by>[^\w\0+]{1,4}|_)\d++(?:(?=(?P=by)\d)(?P=by)\d++)*+(?![^\W_])"
)
_INTERNATIONAL_DIGITS = range(8, 16)
_SINGLES = re.compile(r"(?<![^\W_])\d(?: \d){8,}(?![^\W_])")
_SINGLE_RUN = re.compile(r"(?<![^\W_])\d{9,15}(?![^\W_])")
_WITH_PREFIX = re.compile(r"[+(]|0")
_LISTED = re.compile(r"[.,:;]")


def may_have_unusually_separated_number(text: str, gaps: Sequence[int]) -> bool:
    return bool(gaps) or _ODD_NUMBER.search(text) is not None


def may_have_unusually_separated_address(text: str, gaps: Sequence[int]) -> bool:
    return bool(gaps) or _ODD_ADDRESS.search(text) is not None


def find_gaps_left_by_folding(folded: FoldedText) -> list[int]:
    """Return the positions at which folding removed characters between two letters or digits."""
    text, positions = folded
    if isinstance(positions, range):
        return []
    return [
        index
        for index in range(1, len(text))
        if positions[index] - positions[index - 1] > 1 and text[index - 1].isalnum() and text[index].isalnum()
    ]


def replace_separators_by_spaces(text: str, gaps: Sequence[int]) -> FoldedText:
    """Return `text` with a space at each gap and for inner line breaks and dashes; positions refer to `text`."""
    return replace_matches(
        insert_spaces(FoldedText(text, range(len(text) + 1)), gaps), _LINE_OR_DASH, _replace_with_comma_and_space
    )


def _replace_with_comma_and_space(match: re.Match[str]) -> str:
    return f"{match[1]} "


def _replace_with_space(_: re.Match[str]) -> str:
    return " "


def _remove_spaces(match: re.Match[str]) -> str:
    return match[0].replace(" ", "")


def find_addresses_with_unusual_separators(text: str, gaps: Sequence[int]) -> Iterator[Span]:
    return _map_spans_to_original(replace_separators_by_spaces(text, gaps), text, find_street_addresses)


def find_international_phones(text: str) -> Iterator[Span]:
    """Yield international telephone numbers with one separator, before their parts match as dates or amounts."""
    if "+" in text:
        for match in _INTERNATIONAL.finditer(text):
            if sum(map(str.isdigit, match[0])) in _INTERNATIONAL_DIGITS and phone_end(text, match.start() + 1) < 0:
                yield *match.span(), "PHONE"


def find_numbers_with_unusual_separators(text: str, gaps: Sequence[int]) -> Iterator[Span]:
    """Yield identity, telephone and long digit-by-digit numbers, in order and without overlaps."""
    view = replace_matches(
        replace_matches(replace_separators_by_spaces(text, gaps), _BETWEEN_DIGITS, _replace_with_space),
        _SINGLES,
        _remove_spaces,
    )
    spans = [
        *_map_spans_to_original(view, text, find_identity_numbers),
        *_map_spans_to_original(view, text, find_phones),
        *_map_spans_to_original(view, text, _find_digit_by_digit_numbers),
    ]
    previous_end = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end and _is_not_list_or_amount(text[start:end], kind):
            previous_end = end
            yield start, end, kind


def _is_not_list_or_amount(value: str, kind: str) -> bool:
    """Return whether `value` is not a list or amount such as "612,345,678"; phone numbers with a prefix are not."""
    return kind != "PHONE" or _WITH_PREFIX.match(value) is not None or not _LISTED.search(value)


def _find_digit_by_digit_numbers(view: str) -> Iterator[Span]:
    """Yield numbers of nine to fifteen digits, except counting ("1 2 3 4 ...") and lists of ratings from 1 to 5."""
    for run in _SINGLE_RUN.finditer(view):
        digits = run[0]
        if len(set(digits)) >= 5 and max(digits) > "5" and digits not in _COUNTS:
            yield *run.span(), "PHONE" if digits[0] == "0" else "ORDER"


_COUNTS = ("123456789", "987654321", "0123456789", "9876543210", "1234567890")


def _map_spans_to_original(view: FoldedText, text: str, finder: Callable[[str], Iterator[Span]]) -> Iterator[Span]:
    """Yield the spans of `finder` in the view as spans of `text`, without separators at the end."""
    for start, end, kind in finder(view.text):
        low, high = view.original_span(start, end)
        while high > low and not text[high - 1].isalnum() and text[high - 1] not in ").":
            high -= 1
        yield low, high, kind
