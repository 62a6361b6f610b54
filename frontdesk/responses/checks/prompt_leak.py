"""Check for leaked instructions: the canary in any encoding, runs of their words, or statements about them."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import normalize_text, split_words

_RUN_WORDS = 5
"""A run of this many words that occurs in the instructions and in no passage is no coincidence."""

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def leaks(draft: Draft) -> Iterator[ReplyDefect]:
    """Find traces of the instructions."""
    if draft.canary and any(spelling in _alphanumeric(draft.text) for spelling in _spellings(draft.canary)):
        yield ReplyDefect("leaks", "it tells of its instructions")
        return
    runs = _word_ngrams(draft.text)
    if runs & (_word_ngrams(draft.instructions) - {run for source in draft.sources for run in _word_ngrams(source)}):
        yield ReplyDefect("leaks", "it repeats its instructions")
    text, sources = normalize_text(draft.text), "\n".join(normalize_text(source) for source in draft.sources)
    for rule in draft.policy.self_disclosure:
        if any((match := pattern.search(text)) and match[0] not in sources for pattern in rule.patterns):
            yield ReplyDefect("leaks", f"it must not {rule.must_not}")


def _alphanumeric(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", normalize_text(text))


def _spellings(canary: str) -> tuple[str, ...]:
    raw = canary.encode()
    encodings = base64.b64encode(raw).decode(), raw.hex(), codecs.encode(canary, "rot13")
    return tuple(
        _alphanumeric(spelling)
        for spelling in (canary, canary[::-1], *encodings, *(spelling[::-1] for spelling in encodings))
    )


def _word_ngrams(text: str) -> set[tuple[str, ...]]:
    words = split_words(text)
    return {tuple(words[start : start + _RUN_WORDS]) for start in range(len(words) - _RUN_WORDS + 1)}
