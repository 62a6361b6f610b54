"""Words that may stand between an announcing word and its value: "my PIN *is* ...", "Kartennummer *lautet* ..."."""

from __future__ import annotations

VERBS = tuple("is was are were ist war waren lautet lautete sind est était sont es era son è sono är var luidt".split())
ARTICLES = tuple("the my der die das den mein meine meiner le la les mon ma el los las il lo mi mio mia".split())
NUMBER_WORDS = tuple("number num no nr nummer numéro número numero".split())
SMALL_WORDS = tuple(
    "and or of on for from to und oder von auf et de du di del della y o e card karte carte tarjeta".split()
)

LINK_WORDS = (*VERBS, *ARTICLES, *NUMBER_WORDS, *SMALL_WORDS)


def words_pattern(*words: str) -> str:
    """The source of a pattern that matches one of `words`, up to the end of the word."""
    return rf"(?:{'|'.join(sorted(set(words)))})\b"
