"""Second pass over names: a tagger for named entities finds persons that no pattern found.

The tagger reads the text with a stand-in in place of every value that is masked already, so that a masked text gives it
the same input as the original. It reads again what it changed until it finds nothing new, so masking stays idempotent.
Text is given to it in segments of at most `MAX_SEGMENT` characters, with a yield after each.

Off by default; `frontdesk.masking.masker` loads a tagger where `masking.name_tagger` names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.masking.lexicons.stop_words import guess_language
from frontdesk.masking.spans import Span
from frontdesk.time_slicing import CooperativeSteps

MAX_SEGMENT = 600
_MAX_ROUNDS = 8
_STAND_INS = {
    "NAME": "Alex",
    "EMAIL": "mail@example.com",
    "URL": "www.example.com",
    "PHONE": "555 0100",
    "ADDRESS": "12 High Street",
}
_OTHER_STAND_IN = "12345"
_CUT = re.compile(r"\n[ \t]*\n|\n|(?<=[.!?]) ")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?")
_WORD_BEFORE = re.compile(r"[^\W\d_]+(?= \Z)")
_NUMBER_AFTER = re.compile(r"[ .:#-]{0,3}(?:\d|\[[A-Z]+_\d)")
"""A number, or the placeholder of a value that may be one: a masked text must be read like the original."""
_NEVER = (
    words.NOT_A_NAME
    | words.IN_SENDERS
    | words.ROLES_IN_CHATS
    | words.GREETING_FIRST
    | words.THANKS_FIRST
    | words.CLOSING_FIRST
    | words.TITLE_WORDS
)


class NameTagger(Protocol):
    """Finds persons in texts of its languages (primary subtags, such as "en")."""

    languages: frozenset[str]

    def find_persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        """Return start and end of each person in `text`, which has at most `MAX_SEGMENT` characters."""


class _Piece(NamedTuple):
    """A part of the text for the tagger: text that is not masked, from `start` of the original, or a stand-in."""

    text: str
    start: int


def find_tagged_names(text: str, masked: list[Span], tagger: NameTagger) -> CooperativeSteps[list[Span]]:
    """Return the spans of `text` that the tagger finds outside `masked`; `masked` has typed placeholders too.

    Costs nothing for a text without a capitalised word that may be a name; see docs/security.md for the rest.
    """
    names: list[Span] = []
    persons_by_segment: dict[str, list[tuple[int, int]]] = {}
    for _ in range(_MAX_ROUNDS):
        new_names: list[Span] = []
        pieces = list(_replace_with_stand_ins(text, sorted([*masked, *names])))
        canonical = "".join(piece.text for piece in pieces)
        language = guess_language(canonical)
        if language not in tagger.languages:
            return names
        for low, high in _split(canonical):
            segment = canonical[low:high]
            if segment not in persons_by_segment:
                is_candidate = _may_have_name(segment)
                persons_by_segment[segment] = list(tagger.find_persons(segment, language)) if is_candidate else []
                if is_candidate:
                    yield
            for start, end in persons_by_segment[segment]:
                new_names += _find_original_spans(text, pieces, low + start, low + end)
        if not new_names:
            return names
        names += dict.fromkeys(new_names)
    return names


def _replace_with_stand_ins(text: str, masked: list[Span]) -> Iterator[_Piece]:
    copied = 0
    for start, end, kind in masked:
        if start > copied:
            yield _Piece(text[copied:start], copied)
        yield _Piece(_STAND_INS.get(kind, _OTHER_STAND_IN), -1)
        copied = max(copied, end)
    if copied < len(text):
        yield _Piece(text[copied:], copied)


def _split(text: str) -> Iterator[tuple[int, int]]:
    """Yield segments of at most `MAX_SEGMENT` characters, cut after a line or a sentence if there is one."""
    start = 0
    while len(text) - start > MAX_SEGMENT:
        cuts = [cut.end() for cut in _CUT.finditer(text, start + MAX_SEGMENT // 3, start + MAX_SEGMENT)]
        space = text.rfind(" ", start, start + MAX_SEGMENT) + 1
        end = cuts[-1] if cuts else space if space > start else start + MAX_SEGMENT
        yield start, end
        start = end
    yield start, len(text)


def _may_have_name(segment: str) -> bool:
    return any(
        word[0][0].isupper() and len(word[0]) > 1 and word[0] != "Alex" and word[0].lower().rstrip(".") not in _NEVER
        for word in _WORD.finditer(segment)
    )


def _find_original_spans(text: str, pieces: list[_Piece], low: int, high: int) -> Iterator[Span]:
    """Yield the names in `low` to `high` of the text for the tagger, as spans of `text`, without stand-ins."""
    at = 0
    for piece in pieces:
        start, end = max(low, at), min(high, at + len(piece.text))
        if piece.start >= 0 and start < end:
            yield from _find_names_in(text, piece.start + start - at, piece.start + end - at)
        at += len(piece.text)
        if at >= high:
            return


def _find_names_in(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield runs of words that may be a name: at least one is capitalised, none is a common word."""
    run: list[tuple[int, int]] = []
    for word in [*_WORD.finditer(text, start, end), None]:
        if word and run and text[run[-1][1] : word.start()] not in (" ", ""):
            yield from _check(text, run)
            run = []
        lower = word[0].lower().rstrip(".") if word else ""
        is_known = lower in GIVEN_NAMES or lower in AMBIGUOUS
        is_particle = lower in words.PARTICLE_WORDS and bool(run)
        if word and (is_particle or is_known or (lower not in _NEVER and word[0][0].isupper())):
            run.append(word.span())
        else:
            yield from _check(text, run)
            run = []


def _check(text: str, run: list[tuple[int, int]]) -> Iterator[Span]:
    while run and text[slice(*run[-1])].lower() in words.PARTICLE_WORDS:
        run.pop()
    if not run:
        return
    start, end = run[0][0], run[-1][1]
    if text[end - 1] == "." and end - run[-1][0] > 2:
        end -= 1
    if text[end - 2 : end] in ("'s", "’s"):
        end -= 2
    name = text[start:end]
    letters = sum(map(str.isalpha, name))
    touches_word = text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
    is_name = len(run) > 1 or _is_name_of_one_word(text, start, end)
    if is_name and letters > 1 and not touches_word and any(part[:1].isupper() for part in name.split()):
        yield start, end, "NAME"


def _is_name_of_one_word(text: str, start: int, end: int) -> bool:
    """Return whether one word is known as a name, or is capitalised in the middle of a sentence.

    Taggers take the first word of a line, labels of forms and nouns of other languages for persons.
    """
    name = text[start:end]
    lower = name.lower()
    if name.isupper():
        return False
    if lower in GIVEN_NAMES or lower in AMBIGUOUS:
        return True
    before = _WORD_BEFORE.search(text[max(0, start - 30) : start])
    return before is not None and before[0].islower() and _NUMBER_AFTER.match(text, end) is None
