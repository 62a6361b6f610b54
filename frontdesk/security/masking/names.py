# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names of people, where something says that one stands there, or where a known given name begins it.

What comes before decides how much is asked of the words: after "Dear" any capital word will do that is no stop word;
after "Hi" it must be a known given name, or end at a comma or the line's end; after "this is" only a known given name
counts. A known given name with a capital is a name anywhere, with the capital words behind it, but not before a word
that makes it a brand or a street ("Tom Ford", "Alma Road"). Titles are left to read.

Not known: names in lower case that are in no list, names that are also brands, nicknames.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from frontdesk.security.masking import name_words as words
from frontdesk.security.masking.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.security.masking.signed import introduced, last_name
from frontdesk.security.masking.spans import BLANK, END, START, Found

_UPPER = "A-ZÀ-ÖØ-ÞĆČĐĞĽŁŃŇŐŒŘŚŞŠŤŰŹŻŽİ"
_LETTER = r"[^\W\d_]"
_CAPITAL = rf"[{_UPPER}]{_LETTER}{{1,30}}+(?:['’-]{_LETTER}{{1,30}}+){{0,3}}"
_PART = rf"(?:(?:Mc|Mac|O['’]|D['’]|d['’]|Dell['’]|L['’])?{_CAPITAL})"
_INITIAL = rf"[{_UPPER}]\.(?:-?[{_UPPER}]\.)?"
_RUN = rf"(?:{_PART}|{_INITIAL})(?: ?(?:(?<=\.)| )(?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{0,3}}{END}"
_ANY_CASE = rf"{_LETTER}{{2,30}}+(?:-{_LETTER}{{2,30}}+)?{END}"
_GAP = r"[ \t]{1,3}"
_TITLES = rf"(?:{words.TITLE}[ ]){{0,3}}"
_LINE_ENDS = r"(?=[ \t]*[.,!)\"]{0,2}[ \t]*(?:\r?\n|\Z))"


def _cue(before: str, after: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{before})(?P<name>(?-i:{_RUN})){after}", re.IGNORECASE)


_SURE = _cue(rf"(?:{words.SURE}){_GAP}{_TITLES}|(?:{words.TITLE_ALONE})\.?{_GAP}{_TITLES}")
_GREETED = _cue(rf"(?:{words.GREETING}),?{_GAP}{_TITLES}", r"(?=[ ]?[,!:;\n\r–—-]|\.?\s*\Z|[ ]?\.\s)")
_CLOSED = _cue(
    rf"(?:{words.CLOSING}|{words.THANKS})[,.!]?(?:[ \t]*\r?\n[ \t]*){{1,3}}{_TITLES}"
    rf"|(?:{words.CLOSING})[ ]?[,.!-]?{_GAP}{_TITLES}|(?:{words.THANKS})[ ]?[,-]{_GAP}",
    _LINE_ENDS,
)
_ANSWERING = _cue(
    rf"(?:this is|it['’]?s|hier (?:ist|spricht)|ici|soy|je suis|qui parla){_GAP}{_TITLES}",
    r"(?=[ ](?:from|calling|speaking|again|here|von|aus|de|de la|da|dalla)(?![^\W_]))",
)
_LABELLED = _cue(rf"(?:{words.LABEL})(?:[ ]?:{_GAP}|[ \t]){_TITLES}")
_RELATED = _cue(rf"(?:{words.RELATED}),?{_GAP}\(?")
_SPEAKER = _cue(rf"(?:i['’]?m|i am|this is|ich bin|hier ist|hier|je suis|soy|sono|ik ben|jag är){_GAP}{_TITLES}")
_COLLEAGUE = _cue(rf"(?:kolleg(?:e|in)|colleague|collègue|compañer[oa]|collega){_GAP}")
_HEADER = _cue(rf"{words.HEADER}{_GAP}{_TITLES}", rf"(?=[ ]?[<({BLANK}\r\n])")
_SENT_TO = _cue(rf"{words.SENT_TO}{_GAP}{_TITLES}", rf"(?=,?[ \r\n]{{1,3}}{BLANK})")
_IN_A_NOTE = re.compile(rf"(?P<name>{_RUN}),[ ](?i:{words.ROLE})(?![^\W_])(?=[^\n]{{0,12}}[\d{BLANK}])")
_BEFORE_A_NUMBER = re.compile(rf"(?:(?<=[.!?:] )|(?<=\n)|\A)(?P<name>{_RUN}),[ ](?={BLANK})")
_IN_BRACKETS = re.compile(rf"(?<=[{BLANK}] \()(?P<name>{_RUN})(?=\))")
_LETTERHEAD = re.compile(rf"(?P<name>{_RUN})[ \t]{{0,3}}\r?\n[ \t]{{0,3}}(?={BLANK})")
_SPOKEN = re.compile(rf"(?P<name>{_RUN}),? (?:{words.SPEAKING}){END}")
_PERSON = _cue(
    rf"(?:{words.PERSON}|{words.GREETING}|{words.THANKS}|{words.CLOSING})[,!.]?{_GAP}(?:(?:so much|again|a lot|mille|beaucoup"
    rf"|mucho|muchas|vielmals),?[ ])?",
)
_LINE = re.compile(rf"(?P<name>{_RUN})(?:{_LINE_ENDS}|[ ]?:|,? (?:here|hier|ici)(?![^\W_]))")
_LOWER = re.compile(
    rf"{START}(?:{words.GREETING}|dear|{words.THANKS}|{words.CLOSING}|name is|this is|it['’]?s|heiße|appelle|llamo|chiamo)[,!]?\s{{1,3}}"
    rf"(?P<name>{_ANY_CASE})",
    re.IGNORECASE,
)
_FULL = re.compile(
    rf"(?P<name>[{_UPPER}](?<![^\W_].){_LETTER}{{1,30}}+(?:-{_LETTER}{{1,30}}+)?(?: (?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{1,3}}{END})"
)

_GIVEN_NAME = re.compile(
    rf"(?<!model )(?<!modell )(?<!modelo )(?<!\d[ .])(?P<name>[{_UPPER}](?![{_UPPER}]){_LETTER}{{1,30}}+(?:-[{_UPPER}]{_LETTER}{{1,30}}+)?){END}"
    rf"(?![_@-])(?!(?<=Jan)[ ](?:to|bis|-|–|\d|and Feb))(?:(?=[ ](?P<next>[{_UPPER}]{_LETTER}*))|)",
)

Judge = Callable[[list[str]], bool]

_LOOKED_FOR_AGAIN, _LONGEST_LIST = 16, 8
_FURTHER = re.compile(rf"(?:, ?| (?:and|und|et|y|e|en|och|&|\+) )(?:{words.TITLE} )?(?P<name>{_RUN})")
_WORD = re.compile(rf"{START}[^\W\d_]+")
_BEFORE_A_LINE = " \t-–—~"


def names(text: str) -> Iterator[Found]:
    """A value that was found once is masked wherever else it stands."""
    starts = [(word.start(), word[0].lower()) for word in _WORD.finditer(text)]
    known = any(word in GIVEN_NAMES for _, word in starts)
    at = _AT_WITH_A_KNOWN_NAME if known else _AT
    spoken = not words.SPEAKING_FIRST.isdisjoint(word for _, word in starts)
    behind, before = _told_by_what_follows(text, starts), _BEFORE_BLANKS if BLANK in text else {}
    spans = [*introduced(text, starts)]
    if last := last_name(text, starts):
        spans.append(last)
    for start, word in starts:
        tried = [*at.get(word, ())]
        if word in GIVEN_NAMES and text[start].isupper():
            tried.append((_FULL, _is_full_name))
            if (alone := _GIVEN_NAME.match(text, start)) and (alone["next"] or "").lower() not in words.NOT_A_NAME:
                spans.append(alone.span("name"))
            if not text[text.rfind("\n", 0, start) + 1 : start].strip(_BEFORE_A_LINE):
                tried.append((_LINE, _is_known))
        if behind and text[start].isupper():
            tried += behind
        if word in before:
            tried += before[word]
        if spoken:
            tried.append((_SPOKEN, _enough_anywhere))
        for cue, enough in tried:
            if (found := cue.match(text, start)) and (span := _name_in(text, *found.span("name"), enough)):
                spans.append(span)
    spans += [further for span in tuple(spans[:_LOOKED_FOR_AGAIN]) for further in _listed(text, *span)]
    yield from _apart(text, spans)


def _listed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Names that are listed behind one of two words: "Hannah Osei, Kwabena Osei and Yaw Osei"."""
    for _ in range(_LONGEST_LIST if " " in text[start:end] else 0):
        found = _FURTHER.match(text, end)
        span = _name_in(text, *found.span("name"), _is_long_name) if found else None
        if not span:
            return
        yield span
        end = span[1]


def _told_by_what_follows(text: str, starts: list[tuple[int, str]]) -> list[tuple[re.Pattern[str], Judge]]:
    noted = not words.ROLE_FIRST.isdisjoint(word for _, word in starts)
    headed = "\n" in text and BLANK in text
    cues = (
        (_IN_A_NOTE, noted),
        (_LETTERHEAD, headed),
        (_BEFORE_A_NUMBER, f", {BLANK}" in text),
        (_IN_BRACKETS, f"{BLANK} (" in text),
    )
    return [(cue, _is_long_name) for cue, may_be in cues if may_be]


def _name_in(text: str, start: int, end: int, enough: Judge) -> tuple[int, int] | None:
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


def _is_known(parts: list[str]) -> bool:
    return re.split(r"[-'’]", parts[0].lower(), maxsplit=1)[0] in GIVEN_NAMES


def _is_full_name(parts: list[str]) -> bool:
    return len(parts) > 1 and _is_known(parts)


def _is_long_name(parts: list[str]) -> bool:
    """Two words at least, each written as names are, or an initial."""
    return len(parts) > 1 and all(_is_cased(part) or part.lower() in words.PARTICLE_WORDS for part in parts)


def _enough_anywhere(parts: list[str]) -> bool:
    """Known, or written as names are: a capital and small letters, no brand's capitals inside, more than an initial."""
    return _is_known(parts) or any(len(part) > 2 and (_is_cased(part) or part.lower() in AMBIGUOUS) for part in parts)


def _is_cased(part: str) -> bool:
    """Written as a part of a name is: a capital and small letters, and no other capital but after McX and the like."""
    return part.istitle() or re.match(r"(?:Mc|Mac|De|Di|La|Le|Van)[A-Z][a-z]", part) is not None


_ANY_NAME = (
    (_SURE, words.SURE_FIRST),
    (_GREETED, words.GREETING_FIRST),
    (_CLOSED, words.CLOSING_FIRST | words.THANKS_FIRST),
)
_KNOWN_NAME = (
    (_PERSON, words.PERSON_FIRST | words.GREETING_FIRST | words.THANKS_FIRST | words.CLOSING_FIRST),
    (
        _LOWER,
        words.GREETING_FIRST
        | words.THANKS_FIRST
        | words.CLOSING_FIRST
        | {"dear", "name", "this", "it", "its", "heiße", "appelle", "llamo", "chiamo"},
    ),
)


def _by_first_word(
    *cues: tuple[re.Pattern[str], frozenset[str], Judge],
) -> dict[str, tuple[tuple[re.Pattern[str], Judge], ...]]:
    firsts = frozenset[str]().union(*(firsts for _, firsts, _ in cues))
    return {word: tuple((cue, enough) for cue, firsts, enough in cues if word in firsts) for word in firsts}


_CUES = [
    *((cue, firsts, _enough_anywhere) for cue, firsts in _ANY_NAME),
    (_ANSWERING, frozenset(("this", "it", "its", "hier", "ici", "soy", "je", "qui")), _enough_anywhere),
    (_LABELLED, words.LABEL_FIRST, _is_long_name),
    (_RELATED, words.RELATED_FIRST, _is_long_name),
    (_SPEAKER, frozenset("i im this ich hier je soy sono ik jag".split()), _is_long_name),
    (
        _COLLEAGUE,
        frozenset("kollege kollegin colleague collègue compañero compañera collega".split()),
        _enough_anywhere,
    ),
]
_BEFORE_BLANKS = _by_first_word(
    (_HEADER, frozenset(("from", "to", "cc", "von", "an", "de", "à", "da", "van", "aan")), _is_long_name),
    (_SENT_TO, frozenset(words.SENT_TO.strip("(?:)").split("|")), _is_long_name),
)
_AT = _by_first_word(*_CUES)
_AT_WITH_A_KNOWN_NAME = _by_first_word(*_CUES, *((cue, firsts, _is_known) for cue, firsts in _KNOWN_NAME))
"""What is tried where a word stands. Trying everything everywhere takes ten times as long."""


def _apart(text: str, spans: list[tuple[int, int]]) -> Iterator[Found]:
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
