"""Names of people, found by a cue or by a known given name.

A capitalised known given name is a name anywhere, together with the capitalised words after it, except before a word
that makes it a brand or a street ("Tom Ford", "Alma Road"). Cues of other names are in `name_patterns.py`, names in
signatures in `signature_names.py`. Titles are not masked.

Not detected: names in lower case that are in no list, names that are also brands, nicknames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.chat_heads import find_names_in_chats
from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.masking.mail_heads import find_names_in_mail_heads
from frontdesk.masking.name_homographs import is_product, is_word_elsewhere, precedes_verb
from frontdesk.masking.name_patterns import (
    CUES,
    CUES_BEFORE_MASKED,
    CUES_WITH_GIVEN_NAMES,
    FULL_NAME,
    GIVEN_NAME,
    NAME_AFTER_INITIAL,
    NAME_AFTER_INITIALS,
    NAME_BEFORE_HERE,
    NAME_BEFORE_MASKED,
    NAME_BEFORE_ROLE,
    NAME_BEFORE_SPEAKING,
    NAME_IN_BRACKETS,
    NAME_IN_LETTERHEAD,
    NAME_IN_TEAM,
    NAME_ON_LINE,
    NAME_WORDS,
    NameTest,
    has_given_name,
    is_full_name,
    is_multi_word_name,
    is_plausible_name,
)
from frontdesk.masking.signature_blocks import find_names_in_signatures
from frontdesk.masking.signature_names import find_closing_name, find_introduced_names
from frontdesk.masking.spans import MASKED_CHAR, START, Span
from frontdesk.masking.table_headers import is_table_header

_MAX_REPEATED, _MAX_LISTED = 16, 8
_NEXT_NAME = re.compile(rf"(?:, ?| (?:and|und|et|y|e|en|och|&|\+) )(?:{words.TITLE} )?(?P<name>{NAME_WORDS})")
_WORD = re.compile(rf"{START}[^\W\d_]+")
_INITIAL = re.compile(r"(?<![^\W_])[^\W\d_]\.")
_ANNOUNCING = (
    words.LABEL_FIRST
    | words.RELATED_FIRST
    | words.PERSON_FIRST
    | words.ROLES_IN_CHATS
    | words.ROLE_FIRST
    | words.SURE_FIRST
    | words.GREETING_FIRST
    | words.CLOSING_FIRST
    | words.THANKS_FIRST
) - GIVEN_NAMES
_LINE_PREFIX = " \t-–—~"


def find_names(text: str) -> Iterator[Span]:
    """Yield names. A name that is found once is also masked in other places of the text."""
    starts = [(word.start(), word[0].lower()) for word in _WORD.finditer(text)]
    has_known_name = any(word in GIVEN_NAMES for _, word in starts)
    cues_at_word = CUES_WITH_GIVEN_NAMES if has_known_name else CUES
    has_speaking_word = not words.SPEAKING_FIRST.isdisjoint(word for _, word in starts)
    following_cues, cues_before_masked = (
        _select_following_text_patterns(text, starts),
        CUES_BEFORE_MASKED if MASKED_CHAR in text else {},
    )
    spans = [*find_introduced_names(text, starts)]
    if last := find_closing_name(text, starts):
        spans.append(last)
    spans += find_names_in_mail_heads(text)
    spans += find_names_in_chats(text)
    spans += find_names_in_signatures(text)
    spans += _find_names_after_initials(text)
    for match in NAME_BEFORE_HERE.finditer(text) if any(word in ("here", "hier") for _, word in starts) else ():
        if span := _narrow_to_name(text, *match.span("name"), is_plausible_name):
            spans.append(span)
    has_team = not words.TEAM_WORDS.isdisjoint(word for _, word in starts)
    for start, word in starts:
        candidates = [*cues_at_word.get(word, ())]
        if has_team and text[start].isupper():
            candidates.append((NAME_IN_TEAM, is_plausible_name))
        if word in GIVEN_NAMES and text[start].isupper() and not is_word_elsewhere(text, start, word):
            candidates.append((FULL_NAME, is_full_name))
            if (
                (given_name := GIVEN_NAME.match(text, start))
                and (given_name["next"] or "").lower() not in words.NOT_A_NAME
                and not is_product(text, start, given_name)
            ):
                spans.append(given_name.span("name"))
            if not text[text.rfind("\n", 0, start) + 1 : start].strip(_LINE_PREFIX):
                candidates.append((NAME_ON_LINE, has_given_name))
        if following_cues and text[start].isupper():
            candidates += following_cues
        if word in cues_before_masked:
            candidates += cues_before_masked[word]
        if has_speaking_word:
            candidates.append((NAME_BEFORE_SPEAKING, is_plausible_name))
        for cue, name_test in candidates:
            name = cue.match(text, start)
            span = _narrow_to_name(text, *name.span("name"), name_test) if name else None
            if span and not precedes_verb(text, *span):
                spans.append(span)
    spans = [span for span in spans if not is_table_header(text, *span)]
    spans += [listed for span in tuple(spans[:_MAX_REPEATED]) for listed in _find_next_names_in_list(text, *span)]
    yield from _add_repeats_and_drop_overlaps(text, spans)


def _find_names_after_initials(text: str) -> Iterator[tuple[int, int]]:
    """Yield names such as "J. R. Smith", and "T. Okonkwo" where a name is likely."""
    if not _INITIAL.search(text):
        return
    for pattern in (NAME_AFTER_INITIALS, NAME_AFTER_INITIAL):
        for match in pattern.finditer(text):
            surname = _WORD.findall(match["name"])[-1].lower()
            if surname in words.NOT_A_NAME or surname in words.IN_SENDERS:
                continue
            if pattern is NAME_AFTER_INITIAL and _is_enumeration(text, match["initial"]):
                continue
            yield match.span("name")


def _is_enumeration(text: str, letter: str) -> bool:
    """Return whether the letter is one of a list of points: "A. ...", "B. ..."."""
    return any(re.search(rf"(?<![^\W_]){chr(ord(letter) + step)}\.[ ]", text) for step in (-1, 1))


def _find_next_names_in_list(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield names listed after a name of two words: "Hannah Osei, Kwabena Osei and Yaw Osei"."""
    for _ in range(_MAX_LISTED if " " in text[start:end] else 0):
        match = _NEXT_NAME.match(text, end)
        span = _narrow_to_name(text, *match.span("name"), is_multi_word_name) if match else None
        if not span:
            return
        yield span
        end = span[1]


def _select_following_text_patterns(text: str, starts: list[tuple[int, str]]) -> list[tuple[re.Pattern[str], NameTest]]:
    has_role = not words.ROLE_FIRST.isdisjoint(word for _, word in starts)
    has_lines = "\n" in text and MASKED_CHAR in text
    cues = (
        (NAME_BEFORE_ROLE, has_role),
        (NAME_IN_LETTERHEAD, has_lines),
        (NAME_BEFORE_MASKED, f", {MASKED_CHAR}" in text),
        (NAME_IN_BRACKETS, f"{MASKED_CHAR} (" in text),
    )
    return [(cue, is_multi_word_name) for cue, may_apply in cues if may_apply]


def _narrow_to_name(text: str, start: int, end: int, name_test: NameTest) -> tuple[int, int] | None:
    """Return the span of the words of `text[start:end]` that form a name, if they pass `name_test`."""
    parts: list[str] = []
    ends: list[int] = []
    name_start = name_end = start
    for part in re.finditer(r"[^ ]+", text[start:end]):
        plain = part[0].lower().replace("’", "'")
        if not parts and plain.rstrip(".") in words.TITLE_WORDS:
            name_start = start + part.end() + 1
            continue
        if plain in words.ORGANISATION:
            particle = next((index for index, part in enumerate(parts) if part.islower()), 0)
            if particle == 0:
                return None
            parts, name_end = parts[:particle], ends[particle - 1]  # "Anna Berg von der Berg GmbH"
            break
        if plain in words.NOT_A_NAME and not (parts and plain in words.PARTICLE_WORDS):
            break
        is_possessive = plain.endswith("'s")
        parts.append(part[0][:-2] if is_possessive else part[0])
        ends.append(start + part.end())
        if part[0][0].isupper() or len(parts) == 1:
            name_end = start + part.end() - 2 * is_possessive
        if is_possessive:
            break
    while parts and parts[-1].islower() and len(parts) > 1:
        parts.pop()
    return (name_start, name_end) if parts and name_test(parts) else None


def _add_repeats_and_drop_overlaps(text: str, spans: list[tuple[int, int]]) -> Iterator[Span]:
    """Yield the longest of overlapping spans; add other occurrences of the first `_MAX_REPEATED` values."""
    for value in dict.fromkeys(text[start:end] for start, end in spans[:_MAX_REPEATED]):
        position = text.find(value)
        while position >= 0:
            end = position + len(value)
            if not (text[position - 1 : position].isalnum() or text[end : end + 1].isalnum()):
                spans.append((position, end))
            position = text.find(value, end)
    previous_end = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= previous_end:
            previous_end = end
            yield start, end, "NAME"
