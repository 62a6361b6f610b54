"""Where something stands in a text, and the two steps that every family of patterns shares.

Three rules make `mask` idempotent, and a new pattern has to keep them:

1. It begins and ends where a word does (no letter or digit beside it), so blanking a neighbour cannot open it up.
2. Whether it is taken depends on its own characters alone, or on words that nothing blanks ("order", "#", "dear").
3. Every start, and for checked kinds every end, is tried, so that nothing valid is left for a second pass.

Every pattern is linear in the length of the text: possessive or bounded quantifiers, and starts only at the start of a
run. Knows no kind of personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

Span = tuple[int, int, str]
"""Start, end and kind; a kind of "" means: to be kept, no other kind may take it away."""

MASKED_CHAR = "\0"
START = r"(?<![^\W_])"
END = r"(?![^\W_])"

NUMBER = re.compile(r"\d(?<![^\W_]\d)")
"""Where a number starts. What is tried only there is three times as fast: `\\d` first lets the engine skip to it."""


WORD = re.compile(r"[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """The words in it, small: whether a pattern can match at all, for a fraction of what the pattern costs."""
    return frozenset(WORD.findall(text.lower()))


def find_word_starts(text: str, words: frozenset[str]) -> Iterator[int]:
    """Where one of `words` begins, for a pattern that is only tried there."""
    return (word.start() for word in WORD.finditer(text) if word[0].lower() in words)


def overwrite_spans(text: str, spans: list[Span]) -> str:
    """`text` of the same length with NULs in place of `spans`, which are in order and apart."""
    pieces: list[str] = []
    copied = 0
    for start, end, _ in spans:
        pieces += text[copied:start], MASKED_CHAR * (end - start)
        copied = end
    return "".join((*pieces, text[copied:]))


def find_checked(kind: str, pattern: re.Pattern[str], is_valid: Callable[[str], bool], text: str) -> Iterator[Span]:
    """The longest valid run of groups from each start; where a start has none, the next group is tried."""
    position = 0
    while match := pattern.search(text, position):
        start, candidate = match.start(), match[0]
        while candidate and not is_valid(candidate):
            candidate = candidate[: max(candidate.rfind(" "), candidate.rfind("-"), 0)]
        if candidate:
            yield start, start + len(candidate), kind
        position = start + max(len(candidate), 1)


def drop_overlaps(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """`spans` in order, without those that overlap an earlier or a longer one."""
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end
