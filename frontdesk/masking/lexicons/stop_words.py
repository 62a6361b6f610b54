"""Guess the language of a text by its stop words, to choose the model of the name tagger."""

from __future__ import annotations

import re
from collections import Counter

from frontdesk.masking.lexicons import read_word_lists

_STOP_WORDS = {language: frozenset(words) for language, words in read_word_lists("stop_words").items()}
_WORD = re.compile(r"[^\W\d_]+")
DEFAULT_LANGUAGE = "en"


def guess_language(text: str) -> str:
    """Return the language with the most stop words in the text; `DEFAULT_LANGUAGE` if there are none or on a tie."""
    words = Counter(_WORD.findall(text.lower()))
    counts = {language: sum(words[word] for word in stop_words) for language, stop_words in _STOP_WORDS.items()}
    best = max(counts, key=lambda language: (counts[language], language == DEFAULT_LANGUAGE))
    return best if counts[best] else DEFAULT_LANGUAGE
