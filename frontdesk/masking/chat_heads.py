# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names of speakers in copied chats, and of people who join or leave them.

    "[09.03.26, 18:02] Anna Berg: hello"    "Anna Berg  18:02"    "Anna has joined the chat"

Not detected: a speaker who says one thing only, without a time, under a name that is in no list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.masking.mail_heads import is_person
from frontdesk.masking.spans import MASKED_CHAR

_NAME = r"(?P<name>[^\W\d_][^\n\d:;<>()\[\]{}@#|]{0,38}?)"
_TIME = r"\(?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?\)?"
_STAMP = rf"(?:\[?[\d{MASKED_CHAR}][\d{MASKED_CHAR}:.,/ T-]{{2,30}}(?:[ap]\.?m\.?)?\]?[ ]?[-–—|]?[ ]?)"
_SPEAKER_AFTER_TIME = re.compile(
    rf"(?<![^\n])[ \t>]{{0,4}}{_STAMP}{_NAME}(?: ?\([^)\n]{{1,24}}\))? ?(?::|>)(?=\s)", re.IGNORECASE
)
_SPEAKER_BEFORE_TIME = re.compile(
    rf"(?<![^\n])[ \t>]{{0,4}}{_NAME}(?:,| -| —| –| at| um| à)? {_TIME}(?: ?:(?=\s)|[ \t]*(?=\n|\Z))",
    re.IGNORECASE,
)
_SPEAKER = re.compile(rf"(?<![^\n])[ \t>*]{{0,4}}{_NAME} ?:(?=\s)")
_JOINED = re.compile(
    rf"(?<![^\n])[ \t>*\[]{{0,4}}{_STAMP}?{_NAME} (?:(?:has|is now|just) )?(?:joined|left (?:the|this) (?:chat|conversation)|entered the|ended the chat|is typing|started (?:the|a) (?:chat|conversation)|(?:ist|hat) (?:dem|den) chat|a rejoint|a quitté la|se ha unido|ha abandonado|è entrat|ha lasciato la|is (?:nu )?(?:toegevoegd|deelgenomen))",
    re.IGNORECASE,
)
_NAME_GIVEN = re.compile(
    r"(?<![^\n])[^\W\d_][^\n:]{0,24} ?:[ ](?P<name>[^\W\d_]{2,20}(?:[ -][^\W\d_]{2,20}){0,2})\.?[ \t]*(?=\n|\Z)",
    re.IGNORECASE,
)
"""A line of a chat that is a name and nothing else, in any case: the answer to "What is your name?"."""
_MIN_LINES = 3


def find_names_in_chats(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of speakers' names."""
    for pattern in (_SPEAKER_AFTER_TIME, _JOINED):
        for match in pattern.finditer(text):
            yield from _check(text, *match.span("name"))
    before_time = list(_SPEAKER_BEFORE_TIME.finditer(text))
    for match in before_time:
        if len(before_time) > 1 or " " in match["name"].strip() or match["name"].lower() in GIVEN_NAMES:
            yield from _check(text, *match.span("name"))
    for match in _NAME_GIVEN.finditer(text) if "\n" in text else ():
        parts = match["name"].lower().split()
        if len(parts) > 1 and parts[0] in GIVEN_NAMES and words.NOT_A_NAME.isdisjoint(parts):
            yield match.span("name")
    speakers = [match.span("name") for match in _SPEAKER.finditer(text)]
    if len(speakers) >= _MIN_LINES:
        times_said = Counter(text[slice(*span)].strip() for span in speakers)
        for span in speakers:
            if times_said[text[slice(*span)].strip()] > 1:
                yield from _check(text, *span)


def _check(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span without a role before the name ("Agent Anna"), if it is a person."""
    end = start + len(text[start:end].rstrip(" ,-–—"))
    while (space := text.find(" ", start, end)) > 0 and (
        (first := text[start:space].lower().rstrip(".")) in words.IN_SENDERS
        or first in words.TITLE_WORDS
        or first in words.ROLES_IN_CHATS
    ):
        start = space + 1
    name = text[start:end]
    if name.lower() not in words.ROLES_IN_CHATS and is_person(name):
        yield start, end
