"""Names of people, where something says that one stands there, or where a known given name begins it.

A known given name with a capital is a name anywhere, with the capital words behind it, but not before a word that makes
it a brand or a street ("Tom Ford", "Alma Road"). What announces other names is in `name_patterns.py`, names in
signatures are in `signature_names.py`. Titles are not masked.

Not known: names in lower case that are in no list, names that are also brands, nicknames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.masking.name_patterns import (
    CUES,
    CUES_BEFORE_MASKED,
    CUES_WITH_GIVEN_NAMES,
    FULL_NAME,
    GIVEN_NAME,
    NAME_BEFORE_MASKED,
    NAME_BEFORE_ROLE,
    NAME_BEFORE_SPEAKING,
    NAME_IN_BRACKETS,
    NAME_IN_LETTERHEAD,
    NAME_ON_LINE,
    NAME_WORDS,
    NameTest,
    has_given_name,
    is_full_name,
    is_multi_word_name,
    is_plausible_name,
)
from frontdesk.masking.signature_names import find_closing_name, find_introduced_names
from frontdesk.masking.spans import MASKED_CHAR, START, Span
from frontdesk.masking.table_headers import is_table_header

_LOOKED_FOR_AGAIN, _LONGEST_LIST = 16, 8
_FURTHER = re.compile(rf"(?:, ?| (?:and|und|et|y|e|en|och|&|\+) )(?:{words.TITLE} )?(?P<name>{NAME_WORDS})")
_WORD = re.compile(rf"{START}[^\W\d_]+")
_BEFORE_A_LINE = " \t-–—~"


def find_names(text: str) -> Iterator[Span]:
    """A value that was found once is masked wherever else it stands."""
    starts = [(word.start(), word[0].lower()) for word in _WORD.finditer(text)]
    known = any(word in GIVEN_NAMES for _, word in starts)
    at = CUES_WITH_GIVEN_NAMES if known else CUES
    spoken = not words.SPEAKING_FIRST.isdisjoint(word for _, word in starts)
    behind, before = _told_by_what_follows(text, starts), CUES_BEFORE_MASKED if MASKED_CHAR in text else {}
    spans = [*find_introduced_names(text, starts)]
    if last := find_closing_name(text, starts):
        spans.append(last)
    for start, word in starts:
        tried = [*at.get(word, ())]
        if word in GIVEN_NAMES and text[start].isupper():
            tried.append((FULL_NAME, is_full_name))
            if (alone := GIVEN_NAME.match(text, start)) and (alone["next"] or "").lower() not in words.NOT_A_NAME:
                spans.append(alone.span("name"))
            if not text[text.rfind("\n", 0, start) + 1 : start].strip(_BEFORE_A_LINE):
                tried.append((NAME_ON_LINE, has_given_name))
        if behind and text[start].isupper():
            tried += behind
        if word in before:
            tried += before[word]
        if spoken:
            tried.append((NAME_BEFORE_SPEAKING, is_plausible_name))
        for cue, enough in tried:
            if (found := cue.match(text, start)) and (span := _name_in(text, *found.span("name"), enough)):
                spans.append(span)
    spans = [span for span in spans if not is_table_header(text, *span)]
    spans += [further for span in tuple(spans[:_LOOKED_FOR_AGAIN]) for further in _listed(text, *span)]
    yield from _apart(text, spans)


def _listed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Names that are listed behind one of two words: "Hannah Osei, Kwabena Osei and Yaw Osei"."""
    for _ in range(_LONGEST_LIST if " " in text[start:end] else 0):
        found = _FURTHER.match(text, end)
        span = _name_in(text, *found.span("name"), is_multi_word_name) if found else None
        if not span:
            return
        yield span
        end = span[1]


def _told_by_what_follows(text: str, starts: list[tuple[int, str]]) -> list[tuple[re.Pattern[str], NameTest]]:
    noted = not words.ROLE_FIRST.isdisjoint(word for _, word in starts)
    headed = "\n" in text and MASKED_CHAR in text
    cues = (
        (NAME_BEFORE_ROLE, noted),
        (NAME_IN_LETTERHEAD, headed),
        (NAME_BEFORE_MASKED, f", {MASKED_CHAR}" in text),
        (NAME_IN_BRACKETS, f"{MASKED_CHAR} (" in text),
    )
    return [(cue, is_multi_word_name) for cue, may_be in cues if may_be]


def _name_in(text: str, start: int, end: int, enough: NameTest) -> tuple[int, int] | None:
    """The words of `text[start:end]` up to the first that is in no name, if they are `enough`."""
    parts: list[str] = []
    begin = stop = start
    for part in re.finditer(r"[^ ]+", text[start:end]):
        plain = part[0].lower().replace("’", "'")
        if not parts and plain.rstrip(".") in words.TITLE_WORDS:
            begin = start + part.end() + 1
            continue
        if plain in words.ORGANISATION:
            if not (parts and parts[-1].islower()):
                return None
            break  # "Frau Mielke vom Kundendienst"
        if plain in words.NOT_A_NAME and not (parts and plain in words.PARTICLE_WORDS):
            break
        owner = plain.endswith("'s")
        parts.append(part[0][:-2] if owner else part[0])
        if part[0][0].isupper() or len(parts) == 1:
            stop = start + part.end() - 2 * owner
        if owner:
            break
    while parts and parts[-1].islower() and len(parts) > 1:
        parts.pop()
    return (begin, stop) if parts and enough(parts) else None


def _apart(text: str, spans: list[tuple[int, int]]) -> Iterator[Span]:
    """The longest of the spans that overlap, and wherever else the values of the first of them stand."""
    for value in dict.fromkeys(text[start:end] for start, end in spans[:_LOOKED_FOR_AGAIN]):
        at = text.find(value)
        while at >= 0:
            end = at + len(value)
            if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                spans.append((at, end))
            at = text.find(value, end)
    done = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "NAME"
