"""Words that may stand between an announcing word and its value: "my PIN *is* ...", "Kartennummer *lautet* ..."."""

from __future__ import annotations

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("link_words")

VERBS = _WORDS["verbs"]
ARTICLES = _WORDS["articles"]
NUMBER_WORDS = _WORDS["number_words"]
SMALL_WORDS = _WORDS["small_words"]
LINK_WORDS = (*VERBS, *ARTICLES, *NUMBER_WORDS, *SMALL_WORDS)


def words_pattern(*words: str) -> str:
    """Return the source of a pattern that matches one of `words` up to its end."""
    return rf"(?:{'|'.join(sorted(set(words)))})\b"
