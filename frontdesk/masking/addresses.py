# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Postal addresses: street and number, postcode and town, in the forms of US, UK, DE, FR, ES, IT and NL.

A street and the following parts (flat, postcode, town) are one address. A postcode without a street matches if its
format or its town identifies it. Not detected: names of towns and houses alone ("The Old Mill, Ashford"), and streets
without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons import place_words as words
from frontdesk.masking.lexicons.name_words import NOT_A_NAME
from frontdesk.masking.spans import END, NUMBER, START, Span, find_word_starts, word_set

_CAP = r"[A-ZÀ-ÖØ-ÞŁŚŻŒ](?:[^\W\d_]|(?=['’-][^\W\d_])['’-]){0,30}+"
_SMALL = (
    r"(?:de la|de las|de los|de l['’]|d['’]|l['’]|de|del|della|dello|dei|degli|delle|du|des|la|le|les|el|los|las|di|da|dal|y|e|et|den|der|dem"
    r"|die|van|von|am|an|im|zum|zur|of|the|and|sur|sous|aux|au|ter|op|aan|upon|in)"
)
_HOUSE = rf"\d{{1,5}}+(?: ?[a-zA-Z]{END})?(?:[-/–]\d{{1,4}}[a-zA-Z]?)?{END}"
_TOWN = rf"{_CAP}(?:(?:[ -]{_SMALL})?[ -]?{_CAP}|/{_CAP}){{0,2}}"
_UK_POSTCODE = rf"(?:{words.UK_AREAS})\d[A-Z\d]?{{}}\d(?!GB|TB)[ABD-HJLNP-UW-Z]{{{{2}}}}{END}"
_ZIP = rf"(?:{words.STATES}),? \d{{5}}(?:-\d{{4}})?{END}"
_NL_POSTCODE = rf"[1-9]\d{{3}} ?(?!S[ADS]|EU|US|UK|KG|GB|MB|TB){'[A-Z]{2}'}{END}"
_FIVE = rf"(?:(?:DE?|FR?|ES?|I|IT)-)?\d{{5}}{END}"
_PROVINCE = r"(?: \([A-Z]{2}\))?"

_UNIT = (
    rf"(?:,? ?(?:apt\.?|apartment|suite|ste\.?|unit|flat|floor|whg\.?|wohnung|appt\.?|appartement|piso|pta\.?|puerta|esc\.?|bât(?:iment|\.)?"
    rf"|int\.?|interno|scala|étage|#) ?#?[\w-]{{1,4}}{END}|,? \d{{1,2}}[ºª°](?: ?(?:[A-Z\d]|izq|dcha?|ctro){END}\.?)?|,? bajo{END}|,? (?:hinterhaus|vorderhaus){END}){{0,2}}"
)
_NEXT = r"(?:,[ ]?\r?\n?[ ]?|[ ]?\r?\n[ ]?|[ ](?:in[ ])?)"
_TAIL = (
    rf"(?i:{_UNIT})(?:{_NEXT}{_TOWN})?{_NEXT}{_ZIP}"
    rf"|(?i:{_UNIT}){_NEXT}{_TOWN},? (?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT) \d{{4}}{END}"
    rf"|(?i:{_UNIT}){_NEXT}(?:{_TOWN},? (?:Co\. {_CAP},? )?[A-Z]\d[\dW] ?[A-Z\d]{{4}}|Dublin \d{{1,2}}){END}"
    rf"|(?i:{_UNIT})(?:{_NEXT}{_TOWN}){{0,2}}{_NEXT}{_UK_POSTCODE.format(' ?')}"
    rf"|(?i:{_UNIT}){_NEXT}(?:{_NL_POSTCODE},?|{_FIVE}|\d{{4}}{END}|(?:A|CH|B)-\d{{4}}{END}|\d{{3}} \d\d{END}) {_TOWN}{_PROVINCE}"
    rf"|(?i:{_UNIT}){_NEXT}{_TOWN},? {_FIVE}"
    rf"|(?i:{_UNIT})(?:,[ ]?|[ ]?\n|[ ]in[ ])(?:{words.TOWNS}){END}"
    rf"|(?i:{_UNIT}){_NEXT}{_FIVE}"
    rf"|(?i:{_UNIT})"
)
_LABEL = r"\w{0,20}(?:[aA]dresse|[aA]nschrift|[aA]dres|[aA]ddress)(?![^\W_])"
_HOUSE_NUMBER = re.compile(_HOUSE)
_AFTER = re.compile(f"(?:{_TAIL})")

# Before the number: endings (Hauptstraße 5), or a kind of street and its name (Calle de Alcalá 12).
_ENDED = re.compile(
    rf"{START}(?:(?!{_LABEL})(?:{_CAP}|An der|Am|In der|Alter?|Großer?|Kleiner?)[ -]){{0,3}}(?!{_LABEL})(?P<kind>[^\W\d_](?:[^\W\d_]|(?=['’-][^\W\d_])['’-]){{1,40}}+\.?)[ ,]{{1,2}}\Z"
)
_FIRST = re.compile(
    rf"{START}(?i:{words.STREET_FIRST}) ?(?:{_SMALL}[ ]?){{0,2}}{_CAP}\.?(?: (?:{_SMALL} ?){{0,2}}{_CAP}){{0,4}}"
    r"[ ]?,?[ ]?(?:n[º°.]\.?|núm\.?|num\.?|no\.?)?[ ]?\Z"
)
_PREPOSED = re.compile(rf"{START}(?:Am|An de[rnm]|Im|In de[rnm]|Zum|Zur|Auf de[rm]|Unter den) {_CAP}(?: {_CAP})? \Z")
_POSTCODE_NEXT = re.compile(rf"{_HOUSE},? ?\n? ?\d{{5}} {_CAP}")
_FIRST_WORDS = frozenset(re.sub(r"\\|\[.*?\]|\?", "", words.STREET_FIRST).replace(".", "").split("|")) | {"gran", "po"}

# After the number: a kind of street first (12 rue des Lilas) or last (221b Baker Street).
_KIND_THEN_NAME = re.compile(
    rf"\d{{1,4}}(?: ?(?:bis|ter|quater|[a-zA-Z]){END})?,? (?i:{words.STREET_AFTER_NUMBER}) (?:(?:{_SMALL}[ ]?){{1,2}}(?:{_CAP}|[^\W\d_]{{3,20}}+)|{_CAP})"
    rf"(?:[ -](?:{_SMALL}[ ]?){{0,2}}{_CAP}){{0,5}}{END}"
)
_KINDS_LAST = "|".join(kind[0].upper() + kind[1:] for kind in words.STREET_LAST.split("|"))
_NAME_THEN_KIND = re.compile(
    rf"{_HOUSE},? (?:(?:{_CAP}|[NSEW]|\d{{1,3}}(?:st|nd|rd|th))\.? (?:of |the )?){{1,4}}(?:{_KINDS_LAST}){END}(?: [NSEW]{{1,2}}{END})?"
    rf"|{_HOUSE} (?!(?:minutes|blocks|miles|days|hours|different|from|times|on|of|in|down|up|other|more|new|busy)\b)[a-z]{{3,15}}(?: [a-z]{{3,15}})?"
    rf" (?:street|road|avenue|lane){END}"
)
_FLAT_BEFORE = re.compile(rf"{START}(?:flat|apartment|apt\.?|unit|suite) \w{{1,4}},? \Z", re.IGNORECASE)

# Without a street.
_ALONE = re.compile(rf"\d{{4,5}}{END} (?:{words.TOWNS}){END}{_PROVINCE}|{_NL_POSTCODE} {_CAP}{END}")
_AFTER_COUNTRY = re.compile(rf"{START}(?:DE?|FR?|ES?|IT?|A|CH|B|NL)-\d{{4,5}} {_TOWN}")
_UK_ALONE = re.compile(rf"(?:{START}(?:{words.TOWNS}),? )?{START}{_UK_POSTCODE.format(' ')}")
_US_ALONE = re.compile(rf"{START}{_CAP}(?: {_CAP}){{0,2}},? {_ZIP}")
_BOX = re.compile(
    rf"{START}(?:p\.? ?o\.? ?box|postfach|apartado(?: de correos)?|boîte postale|casella postale|postbus) \d[\d ]{{0,7}}\d?{END}",
    re.IGNORECASE,
)
_LABELLED_POSTCODE = re.compile(
    rf"{START}(?:zip(?: ?code)?|post ?code|postal code|plz|postleitzahl|code postal|código postal|c\.?p\.?|cap)"
    rf"(?:[ :]|is|ist|est|es|è){{1,6}}(\d{{4,5}}(?:-\d{{4}})?){END}(?:,? {_CAP}{END})?",
    re.IGNORECASE,
)
_BOX_WORDS = frozenset("p po postfach apartado boîte casella postbus".split())
_CODE_WORDS = frozenset("zip zipcode post postcode postal plz postleitzahl code código c cp cap".split())
_PREFILTERED = (
    (re.compile(r"[A-Z]-\d{4}"), _AFTER_COUNTRY),
    (re.compile(r"\d[A-Z]{2}(?![^\W_])"), _UK_ALONE),
    (re.compile(r"[A-Z]{2},? \d{5}"), _US_ALONE),
)
"""Pairs of a fast pattern, which every text with a match contains, and the full pattern."""
_STREET_WORDS = word_set(
    "|".join(
        (words.STREET_FIRST, words.STREET_AFTER_NUMBER, words.STREET_LAST, "allée|pº|st|am|an|im|zum|zur|auf|unter")
    )
)
"""Every street contains one of these words, or a word with the ending of a street."""
_WINDOW = 70


def find_addresses(text: str) -> Iterator[Span]:
    text_words = word_set(text)
    spans = [*(_find_streets(text) if _has_street_word(text_words) else ()), *_find_postcodes(text, text_words)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:  # both contain the same town
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    for start, end in merged:
        yield start, end, "ADDRESS"


def find_street_addresses(text: str) -> Iterator[Span]:
    """Yield addresses with a street only, for texts in which postcodes and references look alike."""
    if _has_street_word(word_set(text)):
        for start, end in _find_streets(text):
            yield start, end, "ADDRESS"


def _has_street_word(text_words: frozenset[str]) -> bool:
    return not _STREET_WORDS.isdisjoint(text_words) or any(word.endswith(words.STREET_ENDING) for word in text_words)


def _find_streets(text: str) -> Iterator[tuple[int, int]]:
    previous_end = 0
    for number in NUMBER.finditer(text):
        number_start = number.start()
        if number_start < previous_end:
            continue
        if (start := _find_street_start(text, max(previous_end, number_start - _WINDOW), number_start)) >= 0 and (
            house := _HOUSE_NUMBER.match(text, number_start)
        ):
            end = house.end()
        elif match := _KIND_THEN_NAME.match(text, number_start) or _NAME_THEN_KIND.match(text, number_start):
            flat = _FLAT_BEFORE.search(text, max(previous_end, number_start - 20), number_start)
            start, end = flat.start() if flat else number_start, match.end()
        else:
            continue
        previous_end = _AFTER.match(text, end).end()  # type: ignore[union-attr]  # it also matches the empty string
        yield start, previous_end


def _find_street_start(text: str, low: int, number_start: int) -> int:
    """Return the start of the street whose house number is at `number_start`, or -1."""
    before = text[max(low, text.rfind("\n", low, number_start) + 1) : number_start]
    parts = before.split()
    if not parts or text[number_start - 1] not in " ,.°º":
        return -1
    last = parts[-1].rstrip(",").lower()
    if last.endswith(words.STREET_ENDING):
        match = _ENDED.search(text, number_start - len(before), number_start)
        if match and _is_street(match["kind"], text[match.start() : match.start("kind")].strip(" -").lower()):
            return match.start()
    if not _FIRST_WORDS.isdisjoint(part.rstrip(".").lower() for part in parts) or "c/" in before.lower():
        match = _FIRST.search(text, number_start - len(before), number_start)
        if match and not match[0].startswith("via "):
            return match.start()
    if _POSTCODE_NEXT.match(text, number_start) and (
        match := _PREPOSED.search(text, number_start - len(before), number_start)
    ):
        return match.start()
    return -1


def _is_street(kind: str, before: str) -> bool:
    """Return whether `kind` is a compound ("Hauptstraße"), or a street word after a name ("Berliner Straße")."""
    lower = kind.lower()
    if lower in words.NO_STREET:
        return False
    if lower in words.STREET_ENDING:
        return lower in words.BARE_STREET and before != "" and before.split()[-1] not in NOT_A_NAME
    return kind[0].isupper() or lower.endswith(("straße", "strasse", "straat", "str.", "gracht"))


def _find_postcodes(text: str, text_words: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield postcodes with their towns, and post office boxes."""
    for number in NUMBER.finditer(text):
        if match := _ALONE.match(text, number.start()):
            yield match.span()
    for sign, pattern in _PREFILTERED:
        if sign.search(text):
            for match in pattern.finditer(text):
                yield match.span()
    if not _BOX_WORDS.isdisjoint(text_words):
        for start in find_word_starts(text, _BOX_WORDS):
            if match := _BOX.match(text, start):
                yield start, _AFTER.match(text, match.end()).end()  # type: ignore[union-attr]  # as above
    if not _CODE_WORDS.isdisjoint(text_words):
        for start in find_word_starts(text, _CODE_WORDS):
            if match := _LABELLED_POSTCODE.match(text, start):
                yield match.start(1), match.end(1)
