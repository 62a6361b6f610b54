"""Check that a reply is neither too short nor too long, and does not repeat itself."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import split_sentences, split_words

_MAX_WORD_LENGTH = 34
_MAX_CHARACTERS_PER_WORD = 15
"""Including blanks and punctuation; the average of ordinary text is lower."""


def is_far_too_long(draft: Draft) -> bool:
    """Whether the text has more characters than any reply with the maximum number of words."""
    return len(draft.text) > _MAX_CHARACTERS_PER_WORD * draft.policy.max_words


def length(draft: Draft) -> Iterator[ReplyDefect]:
    """Find too few or too many words, overlong words and repeated sentences."""
    words = split_words(draft.text)
    if draft.is_complete and len(words) < draft.policy.min_words:
        yield ReplyDefect("length", f"it must have at least {draft.policy.min_words} words")
    if len(words) > draft.policy.max_words or is_far_too_long(draft):
        yield ReplyDefect("length", f"it must have at most {draft.policy.max_words} words")
    if any(len(word) > _MAX_WORD_LENGTH for word in draft.text.split()):
        yield ReplyDefect("length", "it holds something that is no word")
    sentences = [
        sentence_words for sentence in split_sentences(draft.text) if (sentence_words := tuple(split_words(sentence)))
    ]
    if len(set(sentences)) < len(sentences):
        yield ReplyDefect("length", "it says a sentence twice")
