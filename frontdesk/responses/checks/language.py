"""Check that the reply is in the required language, in Latin script, and consists of words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.language_detection import LANGUAGE_NAMES, detect_language
from frontdesk.responses.text.normalization import STOP_WORDS, split_words

_MIN_WORDS = 8
_MIN_STOP_WORD_SHARE = 0.12
"""Of the words of a text in any supported language; word lists, ciphers and unknown languages have fewer stop words."""


def language(draft: Draft) -> Iterator[ReplyDefect]:
    """Find another language, another script, or text without a language."""
    if any(char.isalpha() and not _is_latin(char) for char in draft.text):
        yield ReplyDefect("language", "it holds letters of another script")
        return
    words = split_words(draft.text)
    if len(words) < _MIN_WORDS:
        return
    detected = detect_language(draft.text)
    stop_words = STOP_WORDS.get(draft.language, frozenset())
    wrong = detected is not None and detected != draft.language
    if wrong or sum(word in stop_words for word in words) < _MIN_STOP_WORD_SHARE * len(words):
        yield ReplyDefect("language", f"it must be written in {LANGUAGE_NAMES.get(draft.language, draft.language)}")


def _is_latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith(("LATIN", "MASCULINE", "FEMININE"))
