"""Postal addresses: street and number, postcode and town, in the forms of US, UK, DE, FR, ES, IT and NL.

A street is taken with what follows it (flat, postcode, town) as one address. A postcode without a street counts where
its own form or its town says so. Not known: towns and houses by name alone ("The Old Mill, Ashford"), streets without
a number.
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
_NAMED = re.compile(
    rf"{START}(?:zip(?: ?code)?|post ?code|postal code|plz|postleitzahl|code postal|código postal|c\.?p\.?|cap)"
    rf"(?:[ :]|is|ist|est|es|è){{1,6}}(\d{{4,5}}(?:-\d{{4}})?){END}(?:,? {_CAP}{END})?",
    re.IGNORECASE,
)
_BOX_WORDS = frozenset("p po postfach apartado boîte casella postbus".split())
_CODE_WORDS = frozenset("zip zipcode post postcode postal plz postleitzahl code código c cp cap".split())
_SIGNED = (
    (re.compile(r"[A-Z]-\d{4}"), _AFTER_COUNTRY),
    (re.compile(r"\d[A-Z]{2}(?![^\W_])"), _UK_ALONE),
    (re.compile(r"[A-Z]{2},? \d{5}"), _US_ALONE),
)
"""What is in every match of the pattern, and quickly found."""
_STREET_WORDS = word_set(
    "|".join(
        (words.STREET_FIRST, words.STREET_AFTER_NUMBER, words.STREET_LAST, "allée|pº|st|am|an|im|zum|zur|auf|unter")
    )
)
"""One of these, or a word that ends like a street, is in every street."""
_WINDOW = 70


def find_addresses(text: str) -> Iterator[Span]:
    words_in_it = word_set(text)
    found = [*(_streets(text) if _has_street(words_in_it) else ()), *_codes(text, words_in_it)]
    whole: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if whole and start < whole[-1][1]:  # they share a town
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        else:
            whole.append((start, end))
    for start, end in whole:
        yield start, end, "ADDRESS"


def find_street_addresses(text: str) -> Iterator[Span]:
    """Addresses with a street alone, for texts in which a postcode and a reference look alike."""
    if _has_street(word_set(text)):
        for start, end in _streets(text):
            yield start, end, "ADDRESS"


def _has_street(words_in_it: frozenset[str]) -> bool:
    return not _STREET_WORDS.isdisjoint(words_in_it) or any(word.endswith(words.STREET_ENDING) for word in words_in_it)


def _streets(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for number in NUMBER.finditer(text):
        at = number.start()
        if at < done:
            continue
        if (start := _street_before(text, max(done, at - _WINDOW), at)) >= 0 and (
            house := _HOUSE_NUMBER.match(text, at)
        ):
            end = house.end()
        elif found := _KIND_THEN_NAME.match(text, at) or _NAME_THEN_KIND.match(text, at):
            flat = _FLAT_BEFORE.search(text, max(done, at - 20), at)
            start, end = flat.start() if flat else at, found.end()
        else:
            continue
        done = _AFTER.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing at least
        yield start, done


def _street_before(text: str, low: int, at: int) -> int:
    """Where the street starts whose house number stands at `at`, or -1."""
    before = text[max(low, text.rfind("\n", low, at) + 1) : at]
    parts = before.split()
    if not parts or text[at - 1] not in " ,.°º":
        return -1
    last = parts[-1].rstrip(",").lower()
    if last.endswith(words.STREET_ENDING):
        found = _ENDED.search(text, at - len(before), at)
        if found and _is_street(found["kind"], text[found.start() : found.start("kind")].strip(" -").lower()):
            return found.start()
    if not _FIRST_WORDS.isdisjoint(part.rstrip(".").lower() for part in parts) or "c/" in before.lower():
        found = _FIRST.search(text, at - len(before), at)
        if found and not found[0].startswith("via "):
            return found.start()
    if _POSTCODE_NEXT.match(text, at) and (found := _PREPOSED.search(text, at - len(before), at)):
        return found.start()
    return -1


def _is_street(kind: str, before: str) -> bool:
    """A compound ("Hauptstraße"), or the bare word with a name before it ("Berliner Straße")."""
    lower = kind.lower()
    if lower in words.NO_STREET:
        return False
    if lower in words.STREET_ENDING:
        return lower in words.BARE_STREET and before != "" and before.split()[-1] not in NOT_A_NAME
    return kind[0].isupper() or lower.endswith(("straße", "strasse", "straat", "str.", "gracht"))


def _codes(text: str, words_in_it: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Postcodes with their towns, and post boxes."""
    for number in NUMBER.finditer(text):
        if found := _ALONE.match(text, number.start()):
            yield found.span()
    for sign, pattern in _SIGNED:
        if sign.search(text):
            for found in pattern.finditer(text):
                yield found.span()
    if not _BOX_WORDS.isdisjoint(words_in_it):
        for start in find_word_starts(text, _BOX_WORDS):
            if found := _BOX.match(text, start):
                yield start, _AFTER.match(text, found.end()).end()  # type: ignore[union-attr]  # nothing at least
    if not _CODE_WORDS.isdisjoint(words_in_it):
        for start in find_word_starts(text, _CODE_WORDS):
            if found := _NAMED.match(text, start):
                yield found.start(1), found.end(1)
