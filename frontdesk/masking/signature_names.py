# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names by their position: at the end of a message, and in lower case after an introduction.

    "... two left shoes. Latisha Greene"    "thx, lena"    "ich heisse mehmet demir und ..."

Not detected: names in lower case within a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import GIVEN_NAMES

_WORD = r"[^\W\d_]{2,30}+(?:['’-][^\W\d_]{2,30}+)?"
_FOLLOWED_BY = r"(?=\s*(?:[,.;!?)\n]|\Z)| (?:and|n|i|speaking|calling|from|with|here|und|ich|aus|hier|et|je|de|y|e|con|da|en|ik|uit|och|från)(?![^\W_]))"
_INTRODUCED = re.compile(
    r"(?<![^\W_])(?P<sure>my name(?:['’]?s| is)|name['’]?s|ich hei(?:ß|ss)e|mein name ist|je m['’]appelle|me llamo|mi nombre es|mi chiamo"
    r"|jag heter|ik heet|mijn naam is)?(?(sure)|(?:i['’]?m|i am|this is|it['’]?s|ich bin|hier ist|hier|je suis|moi c['’]est|soy|sono|ik ben|eu sou|jag är|jestem|c|moi|c['’]est|ici|called|hieß|heißt|hiess|heet|gr|namens))"
    rf" (?P<name>{_WORD}(?: {_WORD}){{0,2}}?){_FOLLOWED_BY}",
    re.IGNORECASE,
)
_NOT_NAMED = words.NOT_A_NAME | words.NOT_NAMED | words.TITLE_WORDS
_FIRST_WORDS = frozenset(
    "my name names ich mein je me mi jag ik mijn i im this it its hier moi soy sono c called hieß heißt hiess heet gr namens eu jag jestem ici".split()
)
_PART = r"(?:[^\W\d_]['’])?[^\W\d_]{2,30}+(?:['’-][^\W\d_]{1,30}+){0,2}"
_CLOSING_NAME = re.compile(
    rf"(?:(?P<line>(?:[.!?,)…][ \t]*\r?|\n[ \t]*)\n[ \t]*)|(?P<ended>[.!?…] |[—–~] ?)|\A|, |- |\n)"
    rf"(?P<name>(?:{_PART}|[^\W\d_]\.)(?: (?:{_PART}|[^\W\d_]\.)){{0,3}})\.?\s*\Z"
)
_NOT_FIRST = words.PARTICLE_WORDS | words.CLOSING_FIRST | words.THANKS_FIRST | words.GREETING_FIRST | words.TITLE_WORDS
_NEVER_NAMES = words.NOT_A_NAME - words.PARTICLE_WORDS
_MAX_LENGTH = 90
_ADJECTIVE = re.compile(r".*(?:e|er|es|en|em|ung|ing|ly|ed)")
"""Endings of German and English words that are capitalised at the start of a sentence of two words."""


def find_closing_name(text: str, starts: list[tuple[int, str]]) -> tuple[int, int] | None:
    """Return the span of the name at the end of a message, on its own line or after the last sentence."""
    start, word = starts[-1] if starts else (0, "")
    if text[start + len(word) :].strip(" \t\r\n.") or not (word in GIVEN_NAMES or text[start : start + 1].isupper()):
        return None
    match = _CLOSING_NAME.search(text, max(0, len(text) - _MAX_LENGTH))
    if not match:
        return None
    parts = match["name"].split()
    lower_parts = [part.lower() for part in parts]
    if lower_parts[0] in _NOT_FIRST or any(part in _NEVER_NAMES for part in lower_parts):
        return None
    if lower_parts[0] in GIVEN_NAMES:
        is_name = all(part[0].isupper() or part in words.PARTICLE_WORDS for part in parts[1:])
    else:
        is_one_word = len(parts) == 1
        is_name = (
            bool(match["line"] or (match["ended"] and not is_one_word))
            and all(part.istitle() or part in words.PARTICLE_WORDS for part in parts)
            and not _ADJECTIVE.fullmatch(lower_parts[0])
        )
    return match.span("name") if is_name else None


def find_introduced_names(text: str, starts: list[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Yield names in upper or lower case that the words before and after them identify."""
    for start, word in starts:
        if word in _FIRST_WORDS and (match := _INTRODUCED.match(text, start)):
            parts = match["name"].split(" ")
            lower_parts = [part.lower() for part in parts]
            has_known_name = lower_parts[0] in GIVEN_NAMES
            if (match["sure"] or has_known_name) and _NOT_NAMED.isdisjoint(lower_parts):
                yield match.span("name")
