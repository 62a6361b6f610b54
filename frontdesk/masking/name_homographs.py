# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Given names that are not a person where they stand: words of other languages, and names of products.

"Ben je open?"    "Kim jest kurier?"    "Roger that"    "the Rosalind serum"    "la table Élise"
"""

from __future__ import annotations

import re

from frontdesk.masking.lexicons import name_words as words

_ARTICLE_BEFORE = re.compile(r"(?<![^\W_])(?:the|a|this) \Z", re.IGNORECASE)
_LOWER_WORD_AFTER = re.compile(r" (?!and |who |is |was |at |from |in |has |said )[a-z]{3,}")
_ARTICLE_AND_NOUN_BEFORE = re.compile(
    r"(?<![^\W_])(?:(?:[Ll]es?|[Ll]a|[Ee]l|[Ii]l|[Uu]n|[Uu]ne|[Uu]na) |[Ll]['’])(?P<noun>[a-zà-ÿ]{4,}) \Z"
)
_PEOPLE = (
    words.PERSON_FIRST
    | words.RELATED_FIRST
    | words.LABEL_FIRST
    | words.PERSON_NOUN_FIRST
    | words.ROLES_IN_CHATS
    | words.TITLE_WORDS
)
_NEXT_WORD = re.compile(r" (?P<word>[^\W\d_]+)")


def is_word_elsewhere(text: str, start: int, word: str) -> bool:
    """Return whether a given name is used as a word of another language: "Ben je open?", "Kim jest ...", "Roger that".

    At the start of a sentence such a word is a name only before another name, or before a word of which a person is the
    subject; within a sentence it is one unless a word follows that follows no name.
    """
    if word not in words.WORDS_ELSEWHERE:
        return False
    end = start + len(word)
    following = _NEXT_WORD.match(text, end)
    next_word = following["word"] if following else ""
    lower = next_word.lower()
    if lower in words.AFTER_WORDS_ELSEWHERE and not next_word[:1].isupper():
        return True
    if not starts_sentence(text, start):
        return False
    if next_word:
        is_named = next_word[0].isupper() and not next_word.isupper() and lower not in words.NOT_A_NAME
        return not (is_named or lower in words.AFTER_A_PERSON)
    if text[end : end + 2] in ("'s", "’s"):
        return False
    if text[end : end + 1] in ("-", "–"):
        return False
    is_last = not text[end:].strip(" \n.!")
    if is_last and any(map(str.isalnum, text[:start])):
        return False
    return word in words.INTERJECTIONS or is_last


def precedes_verb(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is such a word and a word follows that follows no name: "Dag, Ben ik te laat?"."""
    if text[start:end].lower() not in words.WORDS_ELSEWHERE or not (following := _NEXT_WORD.match(text, end)):
        return False
    return following["word"] in words.AFTER_WORDS_ELSEWHERE


def is_product(text: str, start: int, given_name: re.Match[str]) -> bool:
    """Return whether one given name is that of a product: "the Rosalind serum", "la table Élise"."""
    if given_name["next"]:
        return False
    before = text[max(0, start - 40) : start]
    return (
        _ARTICLE_BEFORE.search(before) is not None and _LOWER_WORD_AFTER.match(text, given_name.end()) is not None
    ) or (
        (noun := _ARTICLE_AND_NOUN_BEFORE.search(before)) is not None
        and noun["noun"] not in _PEOPLE
        and not noun["noun"].endswith(("eur", "euse", "trice", "ant", "ante", "iste", "ista", "tore"))
    )


def starts_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“„«(*>-–—")
    return not before or before[-1] in ".!?:;…\n¿¡" or not any(map(str.isalnum, before))
