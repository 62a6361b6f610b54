"""The reply is in the language that it should be in, in its script, and made of words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.text.language_detection import LANGUAGE_NAMES, detect_language
from frontdesk.responses.text.normalization import STOP_WORDS, split_words

_MIN_WORDS = 8
_MIN_STOP_WORD_SHARE = 0.12
"""Of a text of some length, in any of our languages; word lists, ciphers and unknown languages have fewer."""


def language(draft: Draft) -> Iterator[Finding]:
    """Another language, another script, or no language at all."""
    if any(char.isalpha() and not _is_latin(char) for char in draft.text):
        yield Finding("language", "it holds letters of another script")
        return
    words = split_words(draft.text)
    if len(words) < _MIN_WORDS:
        return
    detected = detect_language(draft.text)
    stop_words = STOP_WORDS.get(draft.language, frozenset())
    wrong = detected is not None and detected != draft.language
    if wrong or sum(word in stop_words for word in words) < _MIN_STOP_WORD_SHARE * len(words):
        yield Finding("language", f"it must be written in {LANGUAGE_NAMES.get(draft.language, draft.language)}")


def _is_latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith(("LATIN", "MASCULINE", "FEMININE"))
