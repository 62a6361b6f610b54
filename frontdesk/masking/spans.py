"""Spans of a text, and functions that all finders share.

Every pattern must follow three rules, which make `mask` idempotent:

1. A match begins and ends at a word boundary (no letter or digit next to it), so that overwriting an adjacent value
   cannot create a match.
2. A match depends only on its own characters, or on words that are never overwritten ("order", "#", "dear").
3. Every start, and for kinds with a checksum every end, is tried, so that no valid value remains for a second pass.

Every pattern is linear in the length of the text: quantifiers are possessive or bounded, and matches start only at the
start of a run. Does not depend on kinds of personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

Span = tuple[int, int, str]
"""Start, end and kind. An empty kind marks text that is kept: later finders cannot match it."""

MASKED_CHAR = "\0"
MASKED_NAME_CHAR = "\1"
"""Overwrites placeholders of names that were typed, for the finder of names. Folding removes it from texts."""
START = r"(?<![^\W_])"
END = r"(?![^\W_])"

NUMBER = re.compile(r"\d(?<![^\W_]\d)")
"""Start of a number. Patterns tried only there are three times as fast: the engine skips to the first `\\d`."""


WORD = re.compile(r"[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text in lower case, to check cheaply whether a pattern can match."""
    return frozenset(WORD.findall(text.lower()))


def find_word_starts(text: str, words: frozenset[str]) -> Iterator[int]:
    """Yield the starts of `words` in the text, for patterns that are tried only there."""
    return (word.start() for word in WORD.finditer(text) if word[0].lower() in words)


def overwrite_spans(text: str, spans: list[Span]) -> str:
    """Return `text` with NULs in place of `spans`, which are in order and do not overlap."""
    pieces: list[str] = []
    copied = 0
    for start, end, _ in spans:
        pieces += text[copied:start], MASKED_CHAR * (end - start)
        copied = end
    return "".join((*pieces, text[copied:]))


def find_checked(kind: str, pattern: re.Pattern[str], is_valid: Callable[[str], bool], text: str) -> Iterator[Span]:
    """Yield the longest valid run of groups from each start; without a valid run, the next start is tried."""
    position = 0
    while match := pattern.search(text, position):
        start, candidate = match.start(), match[0]
        while candidate and not is_valid(candidate):
            candidate = candidate[: max(candidate.rfind(" "), candidate.rfind("-"), 0)]
        if candidate:
            yield start, start + len(candidate), kind
        position = start + max(len(candidate), 1)


def drop_overlaps(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield `spans` in order, without those that overlap an earlier or a longer span."""
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end


def drop_nested(spans: Iterable[Span]) -> list[Span]:
    """Return `spans` in order, without those that overlap an earlier or a longer one."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not result or span[0] >= result[-1][1]:
            result.append(span)
    return result
