# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Codes that authorise a payment or login: CVV, CVC, PIN, TAN and one-time codes, after or before an announcing word.

    "CVV 123"    "Prüfziffer: 123"    "my PIN is 4 8 2 1"    "pushTAN war 604 118"    "123 is my security code"

PCI DSS 3.3 forbids storing the security code of a card. Not masked: codes without an announcing word, and passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from frontdesk.masking.allowlist import CURRENCY_CODES
from frontdesk.masking.lexicons.code_words import (
    CUES,
    FAR_CUE,
    FAR_WORDS,
    FIRST_WORDS,
    NO_CODE_BEHIND,
    OTHER_NUMBERS,
    TYPED_AFTER,
    TYPED_BEFORE,
)
from frontdesk.masking.lexicons.link_words import ARTICLES, LINK_WORDS, NUMBER_WORDS, VERBS, words_pattern
from frontdesk.masking.lexicons.reference_words import OTHER_NUMBER_WORDS, announced_number_kind
from frontdesk.masking.separated_digits import DIGIT_WORD
from frontdesk.masking.spans import END, MASKED_CHAR, NUMBER, START, WORD, Span, drop_overlaps, find_word_starts

_OWN_LINK_WORDS = (
    "code kod changed reset set geändert wurde has been now new old neue alte kort kaart sur back rückseite vorderseite dos"
    " au verso reverso retro sul visuel vorne hinten drauf darauf rechts links unten oben devant derrière jetzt maintenant ahora adesso now"
)
_LINK = (
    rf"(?:[\s:#=.,;()\"'„“”«»*/|>–-]|{words_pattern(*LINK_WORDS, *_OWN_LINK_WORDS.split())}|c['’](?:est|était)\b"
    rf"|[34][ -]?(?:digits?|stellig\w{{0,2}}|chiffres|d[íi]gitos|cifre)\b|(?:{CUES})(?![^\W_])){{0,12}}?"
)
_UNIT = rf"(?![.,:/-]\d|[ ]?(?:[€$£%°]|(?:{CURRENCY_CODES}|euros?|dollars?|pounds?|mal|times|fois|veces|volte|(?<= )x|mm|cm|kg|days?|tage?|hours?|minutes?|digits?|stellig\w*|attempts?)(?![^\W_])))"
_NO_MORE = r"(?![ ./-]{0,3}\d)"
_GROUPS = (
    rf"\d{{3}}[ ._/-]{{1,3}}\d{{3}}{_NO_MORE}|\d{{4}}[ ._-]{{1,3}}\d{{4}}{_NO_MORE}|\d\d(?:[ -]\d\d){{2,3}}{_NO_MORE}"
)
_CODE = (
    rf"(?:{_GROUPS}|\d{{3,8}}(?!\d)|\d(?:[ .,/-]{{1,3}}\d){{2,7}}|(?:\d\d[ -]{{1,3}}\d{{1,2}}|\d[ -]{{1,3}}\d\d){_NO_MORE}"
    rf"|{DIGIT_WORD}(?:[ ,-]{{1,2}}{DIGIT_WORD}){{2,7}})"
)
_STATUS_PHRASE = (
    r"(?!20[0-6] (?-i:OK)(?![^\W_])|[45]\d\d (?:bad gateway|bad request|not found|forbidden|unauthori[sz]ed|too many requests"
    r"|internal server error|service unavailable|gateway time-?out)(?![^\W_]))"
)
"""Excludes the status and phrase of an HTTP response: "| SMS-TAN | 200 OK |"."""
_AFTER = re.compile(
    rf"(?:{START}|(?<=2)(?=fa))(?:{CUES}){_LINK}{_STATUS_PHRASE}((?:(?-i:[A-Z]{{1,2}})-)?{_CODE})(?!\d){_UNIT}",
    re.IGNORECASE,
)
_CODE_START = re.compile(rf"\d|{START}{DIGIT_WORD}(?![^\W_])", re.IGNORECASE)
_MAX_DISTANCE = 96
_MAX_CUES = 8
"""A cue is tried if a digit follows within `_MAX_DISTANCE` characters; at most `_MAX_CUES` cues per digit, for speed."""
_OTHER_NUMBER_BEFORE = re.compile(
    r"(?<![^\W_])(?:error|fehler|erreur|errore|status|http|page|seite|room)(?: code)?:? \Z", re.IGNORECASE
)
_FAR = re.compile(
    rf"{START}{FAR_CUE}(?![^\W_])(?P<between>[^\d\n.!?;{MASKED_CHAR}]{{1,64}}?)(?P<code>(?!(?:19|20)\d\d(?!\d))(?:{_GROUPS}|\d{{3,8}})){END}{_UNIT}",
    re.IGNORECASE,
)
_TYPED = re.compile(
    rf"(?<![\w.,:/-])(?<!\d[ ])(?P<before>\d{{3}}[ -]\d{{3}}|\d{{4,8}}),?[ ](?:dann |then )?(?:{TYPED_AFTER})(?![^\W_])"
    rf"|{START}(?:{TYPED_BEFORE})[ :]{{1,3}}(?:(?:the|den|le|el|il) (?:code |código |codice )?)?(?P<behind>{_GROUPS}|\d{{4,8}}){END}{_UNIT}",
    re.IGNORECASE,
)
"""A code that the customer entered; used only if the text contains a word that announces codes."""
_FEW_WORDS = re.compile(r"(?:[ :=]{1,3}[^\W\d_]{1,14}){1,4}(?<![ :]is not working)[ :=]{1,3}", re.IGNORECASE)
_VERB_LAST = re.compile(rf"(?<![^\W_])(?:{'|'.join(VERBS)})[ :=]{{1,3}}\Z", re.IGNORECASE)
_MAX_WORDS = 14
_NEVER_BETWEEN = (OTHER_NUMBERS | OTHER_NUMBER_WORDS | frozenset(NUMBER_WORDS)) - frozenset(
    "no in for over under within since pin tan phone telephone mobile cell whatsapp handy mobil telefon".split()
)
"""Words of other numbers, without words for telephones: "the OTP on my phone is 604 118"."""
_SECOND_CODE = re.compile(
    rf"(?:[ ]?(?:to|into|and|or|not|then|now|but|sondern|mais|sino|pero|ma|und|auf|zu|in|oder|et|ou|en|à|a|y|o|e|til|naar|till|,|/|->|=>|→|>)(?![^\W\d_])){{1,3}}[ ]?(\d{{3,8}}){END}{_UNIT}",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"(?<![\w.,:/-])(?<!\d{{3}}[ ])(\d{{3}}[ -]\d{{3}}|\d{{3,8}}),?[ ]?[(]?(?:(?:{'|'.join(VERBS)})[ ])?(?:(?:{'|'.join(ARTICLES)})[ ])?(?:{CUES})(?![^\W_])(?![ :=]{{1,3}}\d)",
    re.IGNORECASE,
)
_CODE_AFTER_EXPIRY = re.compile(
    rf"[^\w{MASKED_CHAR}]{{1,6}}(?:(?:exp|valid|gültig|expire|scad)\w{{0,8}}[ .:]{{1,3}}(?:bis |thru |to |fin )?)?(?:0[1-9]|1[0-2]) ?[/.-]? ?(?:20)?\d\d[ ,;|/\n]{{1,4}}(?!(?:19|20)\d\d(?!\d))(\d{{3,4}}){END}{_UNIT}",
    re.IGNORECASE,
)
_SHORT_NUMBER = re.compile(rf"\d(?<![\w.,:$€£¥+#-]\d)(?<!\d[ /]\d)\d{{2,3}}(?![\w%°]|[-/:., ]\d){_UNIT}", re.IGNORECASE)
_NEAR_AFTER, _NEAR_BEFORE = 48, 32
_YEAR = re.compile(r"20[0-4]\d|19\d\d")
_WORDS_BEFORE = re.compile(r"(?:(?:[^\W\d_]+|(?<=[Pp]/)\d(?:\.\d)?)[ .:#=_/\"'\[(]{1,4}){1,3}\Z")
_FIELD_CODE = re.compile(r"(?<![^\W_])code(?:=|[\"'] ?[:=] ?)[\"']?\Z", re.IGNORECASE)
_HTTP_STATUS = re.compile(r"20[0-6]|30[0-8]|4(?:0\d|1[0-8]|2[1-9]|31|51)|50[0-8]|51[01]")
_OTHER_MEANING_AFTER = re.compile(
    r" ?(?:ms|errors?|fehler|bad gateway|not found|internal server|service unavailable|gateway time-?out|forbidden|unauthori[sz]ed|bad request|too many requests)(?![^\W_])",
    re.IGNORECASE,
)
_CARD_WORDS = frozenset(("card", "code", "number", "nr", "no", "karte", "carte", "tarjeta", "carta"))


def find_security_codes(text: str) -> Iterator[Span]:
    """Yield codes after an announcing word or before one ("123 is my PIN")."""
    matches = (
        _AFTER.match(text, start) for start in _filter_starts_near_digits(text, find_word_starts(text, FIRST_WORDS))
    )
    spans = [match.span(1) for match in matches if match]
    spans += _find_codes_before_cues(text)
    spans += _find_distant_codes(text)
    spans += _find_entered_codes(text)
    for _, end in tuple(spans):
        if second := _SECOND_CODE.match(text, end):
            spans.append(second.span(1))
    for start, end in drop_overlaps(spans):
        yield start, end, "SECRET"


def _find_codes_before_cues(text: str) -> Iterator[tuple[int, int]]:
    for number in NUMBER.finditer(text):
        start = number.start()
        if (match := _BEFORE.match(text, start)) and not _OTHER_NUMBER_BEFORE.search(text, max(0, start - 20), start):
            yield match.span(1)


def _find_distant_codes(text: str) -> Iterator[tuple[int, int]]:
    """Yield codes with words between them and the announcing word: "the OTP I got by text was 604 118"."""
    for start in find_word_starts(text, FAR_WORDS):
        if (match := _FAR.match(text, start)) and _leads_to_a_code(match["between"]):
            yield match.span("code")


def _find_entered_codes(text: str) -> Iterator[tuple[int, int]]:
    """Yield codes next to a word for typing: "the TAN did not work. I entered 482 913"."""
    for match in _TYPED.finditer(text):
        yield match.span("before" if match["before"] else "behind")


def _leads_to_a_code(between: str) -> bool:
    """Return whether a number after `between` can be a code: `between` has few words, or ends with a verb."""
    words = WORD.findall(between.lower())
    if (
        not words
        or len(words) > _MAX_WORDS
        or any(word in _NEVER_BETWEEN or announced_number_kind(word) for word in words)
    ):
        return False
    if _VERB_LAST.search(between):
        return True
    return _FEW_WORDS.fullmatch(between) is not None and NO_CODE_BEHIND.isdisjoint(words)


def _filter_starts_near_digits(text: str, starts: Iterable[int]) -> Iterator[int]:
    """Yield the starts that a digit follows closely, in order; for each digit only the last `_MAX_CUES` starts."""
    with_digit = [
        (start, digit.start()) for start in starts if (digit := _CODE_START.search(text, start, start + _MAX_DISTANCE))
    ]
    for index, (start, digit_at) in enumerate(with_digit):
        later = index + _MAX_CUES
        if later >= len(with_digit) or with_digit[later][1] != digit_at:
            yield start


def find_codes_near_cards(text: str, cards: Sequence[Span]) -> Iterator[Span]:
    """Yield codes near `cards`, which are already overwritten: after an expiry date, or any three or four digits."""
    spans: set[tuple[int, int]] = set()
    for low, high, _ in cards:
        if expiry := _CODE_AFTER_EXPIRY.match(text, high):
            spans.add(expiry.span(1))
        for start, end in ((max(0, low - _NEAR_BEFORE), low), (high, min(len(text), high + _NEAR_AFTER))):
            spans.update(
                number.span() for number in _SHORT_NUMBER.finditer(text, start, end) if _is_code(text, *number.span())
            )
    for start, end in drop_overlaps(spans):
        yield start, end, "SECRET"


def _is_code(text: str, start: int, end: int) -> bool:
    """Return whether three or four digits are not marked as a year, an order, an amount or a status."""
    digits = text[start:end]
    if _YEAR.fullmatch(digits) or _OTHER_MEANING_AFTER.match(text, end):
        return False
    low = max(0, start - 32)
    if _HTTP_STATUS.fullmatch(digits) and _FIELD_CODE.search(text, low, start):
        return False
    before = _WORDS_BEFORE.search(text, low, start)
    if not before:
        return True
    words = WORD.findall(before[0].lower())
    return OTHER_NUMBERS.isdisjoint(words) and not any(
        announced_number_kind(word) for word in words if word not in _CARD_WORDS
    )
