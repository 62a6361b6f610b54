"""A reply is neither empty nor endless, and does not repeat itself."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.text.normalization import sentences, words

_LONGEST_WORD = 34
_CHARACTERS_PER_WORD = 15
"""Blanks and signs included; no text for people has more on average."""


def is_far_too_long(draft: Draft) -> bool:
    """Has it more characters than any reply of so many words, whatever they are?"""
    return len(draft.text) > _CHARACTERS_PER_WORD * draft.policy.most_words


def length(draft: Draft) -> Iterator[Finding]:
    """Too little, too much, or the same again."""
    found = words(draft.text)
    if draft.whole and len(found) < draft.policy.fewest_words:
        yield Finding("length", f"it must have at least {draft.policy.fewest_words} words")
    if len(found) > draft.policy.most_words or is_far_too_long(draft):
        yield Finding("length", f"it must have at most {draft.policy.most_words} words")
    if any(len(word) > _LONGEST_WORD for word in draft.text.split()):
        yield Finding("length", "it holds something that is no word")
    said = [told for sentence in sentences(draft.text) if (told := tuple(words(sentence)))]
    if len(set(said)) < len(said):
        yield Finding("length", "it says a sentence twice")
