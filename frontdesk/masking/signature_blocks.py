# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names in the signature of a mail: below a closing or a line "--", with titles, initials or in lower case.

"Best regards,\\nAnna Berg | Head of Purchasing"    "MfG\\ni. A. Anna Berg"    "cheers\\nanna"    "Thanks,\\nAB"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.masking.mail_heads import is_person

_CLOSING_LINE = re.compile(
    rf"(?<![^\W_])(?P<closing>{words.CLOSING}|{words.THANKS}|{words.MORE_CLOSINGS})(?:[ ](?:in advance|again|im voraus|aus|from|de|da|uit|d['’]avance|vorab)(?: [^\W\d_]{{2,20}}){{0,2}})?[ ]?[,.!;–—-]{{0,3}}[ \t]*\n"
    rf"|(?<![^\n])(?P<rule>[ \t]*(?:--|__+|—)[ \t]*)\n",
    re.IGNORECASE,
)
_BLANK = re.compile(r"[ \t]*\n")
_SIGNED_FOR = re.compile(r"[ \t>]*(?:i\. ?[av]\.|ppa\.?|p\.p\.|im auftrag|p/o|[-–—~/*•]{1,2})[ ]{0,2}", re.IGNORECASE)
_NAME_ZONE = re.compile(r"[^\n,|•·(<\[/\d\0–—:]{1,60}?(?=[ \t]*(?:[,|•·(<\[/\0–—]|\n|\Z| - ))")
_INITIALS = re.compile(r"(?:[^\W\d_]\.? ?-?){1,3}")
_NOT_INITIALS = frozenset("ok ps pps fyi nb asap tia na uk us eu gb de pm am it hr cs tv pc id dm".split())
_MAX_LINES = 3
_LAST_BLOCK = re.compile(r"(?<=[.!?…)\"»0-9\0])[ \t]*\n[ \t]*\n[ \t]*(?P<line>[^\n,|·0-9:]{4,50}?)[ \t]*(?=\n|,|\Z)")
_ENDED_WORD = re.compile(r"[^\W\d_]{3,}\.")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_NOT_FIRST = words.GREETING_FIRST | words.CLOSING_FIRST | words.THANKS_FIRST | words.SURE_FIRST
_MAX_BLOCK_LINES = 5
_LOWER_AT_END = re.compile(
    r"(?:[\d\0.!?,)]|\n|(?<![^\W_])(?:thanks|thx|cheers|regards|gruß|gruss|lg|mfg|merci|cordialement|gracias|saludos|grazie|saluti|obrigad[oa]|pozdrawiam|groetjes|gr|mvg))[ \t\n]*"
    r"(?P<name>[^\W\d_]{2,20}(?:-[^\W\d_]{2,20})?(?: [^\W\d_]{2,20}(?:-[^\W\d_]{2,20})?){1,2})[ \t\n.!]*\Z",
    re.IGNORECASE,
)
"""Two or three words at the end of a message, in any case."""


def find_names_in_signatures(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of the names in the first lines below each closing."""
    if (match := _LOWER_AT_END.search(text, max(0, len(text) - 90))) and _is_name_in_lower_case(match["name"]):
        yield match.span("name")
    elif match and _is_name_in_lower_case(name := match["name"].partition(" ")[2]) and " " in name:
        yield match.end("name") - len(name), match.end("name")
    if "\n" not in text:
        return
    for block in _LAST_BLOCK.finditer(text):
        following = text[block.end() :].split("\n\n", 1)[0]
        name = block["line"].strip()
        start, end = _without_titles(text, block.start("line"), block.start("line") + len(name))
        is_name = " " in text[start:end] and is_person(text[start:end]) and not _ENDED_WORD.search(text[start:end])
        first = _FIRST_WORD.match(text, start)
        if is_name and following.count("\n") <= _MAX_BLOCK_LINES and first and first[0].lower() not in _NOT_FIRST:
            yield start, end
    for closing in _CLOSING_LINE.finditer(text):
        position, first_name = closing.end(), ""
        for _ in range(_MAX_LINES):
            while blank := _BLANK.match(text, position):
                position = blank.end()
            span = _find_name(text, position, is_sure=closing["rule"] is None and not first_name)
            if span:
                name = text[slice(*span)]
                if first_name and not _is_same_person(first_name, name):
                    break
                yield span
                first_name = name
            elif first_name:
                break
            line_end = text.find("\n", position)
            if line_end < 0 or not (span or closing["rule"]):
                break
            position = line_end + 1


def _without_titles(text: str, start: int, end: int) -> tuple[int, int]:
    while (space := text.find(" ", start, end)) > 0 and text[start:space].lower().rstrip(".") in words.TITLE_WORDS:
        start = space + 1
    return start, end


def _is_name_in_lower_case(name: str) -> bool:
    parts = name.lower().split()
    return (
        (parts[0] in GIVEN_NAMES or parts[0] in AMBIGUOUS)
        and words.NOT_A_NAME.isdisjoint(parts)
        and words.ORGANISATION.isdisjoint(parts)
    )


def _find_name(text: str, start: int, *, is_sure: bool) -> tuple[int, int] | None:
    """Return the span of the name at the start of a line. After a closing one word in any case is enough."""
    if prefix := _SIGNED_FOR.match(text, start):
        start = prefix.end()
    if not (zone := _NAME_ZONE.match(text, start)):
        return None
    start, end = zone.span()
    end = start + len(text[start:end].rstrip(" \t,;!*"))
    start, end = _without_titles(text, start, end)
    name = text[start:end]
    is_alone = text[end : end + 3].lstrip(" \t.*!")[:1] in ("\n", "")
    if _INITIALS.fullmatch(name):
        letters = re.sub(r"\W", "", name)
        is_name = (
            is_sure
            and is_alone
            and name.upper() == name
            and letters.lower() not in _NOT_INITIALS
            and letters.lower() not in words.NOT_A_NAME
        )
        return (start, end) if is_name and len(letters) > 1 else None
    stripped = name.rstrip(".")
    count = len(stripped.split())
    if count > 1:
        any_case = is_sure and is_alone and count <= 3 and _all_may_be_names(stripped)
        return (start, start + len(stripped)) if is_person(stripped, any_case=any_case) else None
    is_name = is_sure and is_alone and (len(stripped) > 2 or stripped.istitle()) and is_person(stripped, any_case=True)
    return (start, start + len(stripped)) if is_name or stripped.lower() in GIVEN_NAMES else None


def _all_may_be_names(name: str) -> bool:
    """Return whether the first word is a known given name, so that words in lower case may be a whole name."""
    return name.split()[0].lower() in GIVEN_NAMES


def _is_same_person(first: str, second: str) -> bool:
    """Return whether two lines of a signature name one person: "Xi" and "Xiomara Quispe", "AB" and "Anna Berg"."""
    first, second = first.lower(), second.lower()
    initials = "".join(part[0] for part in second.split())
    return second.startswith(first[:2]) or re.sub(r"\W", "", first) == initials
