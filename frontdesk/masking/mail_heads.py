# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names in the heads of mails that a text quotes or forwards, in ten languages.

    "From: Anna Berg [mailto:anna@example.com]"    "Cc: Berg, Anna; J. R. Smith"    "On 9 March, Anna Berg wrote:"

A line such as "To: ..." is a head if it has an address or another line of a head is next to it, so that "To: ..." in a
sentence is not one. In a head any words in the case of a name are a name, except those of organisations. "Berg, Anna" is
one name; other commas separate names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.masking.spans import MASKED_CHAR

_PERSON_LABEL = (
    r"from|to|cc|bcc|reply-to|sender|sent by|von|an|kopie|blindkopie|absender|empfänger|antwort an|de|à|cci|copie(?: à)?|expéditeur|destinataires?"
    r"|para|cco|remitente|destinatario|responder a|da|a|ccn|per|mittente|destinatari|van|aan|afzender|ontvanger|od|do|dw|udw|nadawca|odbiorca"
    r"|remetente|från|till|kopia|fra|til|kopi|komu|kopie|kimden|kime|bilgi|lähettäjä|vastaanottaja"
)
_NAME_LABEL = (
    r"(?:full |first |last |customer |contact |your |my |lead )?name|surname|vorname|prénom|apellidos?|cognome|voornaam|achternaam|imię|nazwisko|sobrenome|apelido|fornavn|etternavn|förnamn|efternamn|nom(?: et prénom| complet)?|nombre(?: y apellidos| completo)?|nome(?: e cognome| completo)?|nachname|vor- ?und nachname"
    r"|name, vorname|imię i nazwisko|naam|voor- en achternaam|namn|navn|ad soyad|ansprechpartner(?:in)?|contact(?: person)?|contacto|interlocuteur"
)
"""Labels of forms; no other line is needed next to them."""
_OTHER_LABEL = (
    r"sent|date|subject|attachments?|importance|gesendet(?: am)?|datum|betreff|anlagen?|priorität|envoyé(?: le)?|objet|pièces? jointes?|enviado(?: el| em)?|enviada em|fecha"
    r"|asunto|adjuntos?|inviato|data|oggetto|allegati|verzonden|onderwerp|bijlagen?|wysłano|wysłane|temat|załączniki|assunto|skickat|ämne|sendt|dato|emne"
    r"|odesláno|předmět|gönderildi|gönderme|tarih|konu|lähetetty|aihe"
)
_LABEL = re.compile(
    rf"(?:(?<![^\n])[ \t>|]{{0,12}}+|(?<=[^\n] ))(?P<label>(?P<person>{_PERSON_LABEL})|(?<![^\n])(?P<name>{_NAME_LABEL})|{_OTHER_LABEL}) ?:(?![^\W_]|//)",
    re.IGNORECASE,
)
_MAX_DISTANCE = 400
"""Characters from one label of a head to the next, for long lists of recipients."""
_MAX_VALUE = 4000
_MAX_QUOTED = 40
"""Lines such as "On ..., Anna Berg wrote:" that are searched, so that masking stays linear in the length of the text."""
_ADDRESS = re.compile(rf"[<(\[ ]*(?:mailto:|smtp:|e-?mail: ?)?{MASKED_CHAR}+[^\w;,\n]*", re.IGNORECASE)
_SEPARATOR = re.compile(r"[;\n]|, ?(?=\n)")
_OPENING = re.compile(
    r"[<(\[{|]|(?<![^\W_])(?:via|on behalf of|im auftrag von|au nom de|en nombre de|per conto di|namens) ",
    re.IGNORECASE,
)
_TRIMMED = " \t\n\"'“”„«»*_,.:-–|>"
_NAME_WORD = re.compile(r"(?:[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?|(?:[^\W\d_]\.-?){1,4})")
_DEGREES = frozenset("phd md mba msc bsc ma ba jr sr ii iii dr prof esq cpa mag dipl ing mr mrs ms mme mlle".split())
_MAX_WORDS = 6
_PREFIX = r"(?:[ ]?\n[ \t>|]{0,12}| )"
_WRAPPED_ADDRESS = rf"(?:{_PREFIX}?[<(\[]{{1,2}}(?:mailto:)?[^\n<>()\[\]]{{0,80}}[>)\]]{{1,2}},?)?"
_WROTE_AFTER_NAME = re.compile(
    rf"{_WRAPPED_ADDRESS}{_PREFIX}?(?P<verb>(?:wrote|writes|a écrit|a ecrit|escribió|escribio|ha scritto|escreveu|napisał(?:a|\(a\))?|skrev|kirjoitti|yazdı|şunu yazdı|napsal(?:a|\(a\))?|schrieb(?: am)?|schreef(?: op)?|geschrieben)(?![^\W_])[^\n:]{{0,40}}(?:\d\d:\d\d[^\n:]{{0,8}}|:(?=\d\d)[^\n:]{{0,8}})? ?:)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?<![^\W_])(?:wrote|writes|écrit|ecrit|escribió|escribio|scritto|escreveu|napisał|skrev|kirjoitti|yazdı|napsal|schrieb|schreef)(?![^\W\d_])",
    re.IGNORECASE,
)
_NAME_AFTER_VERB = re.compile(
    rf"(?<![^\W_])(?:schrieb|hat|schreef|heeft|skrev)[ \n](?P<name>[^\n\d:;<>()\[\]{MASKED_CHAR}]{{2,60}}?)(?={_WRAPPED_ADDRESS}(?:{_PREFIX}(?:het volgende )?(?:geschrieben|geschreven|skrivit))?(?:[ ]?[\d{MASKED_CHAR}][^\n:]{{0,40}})?{_PREFIX}?:)",
    re.IGNORECASE,
)
_VERB_FIRST = frozenset(("schrieb", "schreef", "skrev"))
_HAS_HAT = re.compile(r"(?<![^\W_])(?:hat|heeft)(?![^\W_])")


def find_names_in_mail_heads(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of names in heads ("From: ...") and before or after "wrote:"."""
    if ":" not in text:
        return
    yield from _find_names_in_head_lines(text)
    if _WROTE.search(text) or _HAS_HAT.search(text):
        yield from _find_names_of_quoted_authors(text)


def _find_names_in_head_lines(text: str) -> Iterator[tuple[int, int]]:
    labels = list(_LABEL.finditer(text))
    for index, label in enumerate(labels):
        if not (label["person"] or label["name"]):
            continue
        following = labels[index + 1].start() if index + 1 < len(labels) else len(text)
        end = min(_value_end(text, label.end()), following)
        is_form = label["name"] is not None
        if is_form or MASKED_CHAR in text[label.end() : end] or _has_neighbour(text, labels, index):
            yield from find_names_in_list(text, label.end(), end, is_sure=is_form)


def _value_end(text: str, start: int) -> int:
    """Return the end of the value of a head, across lines that end with a separator."""
    end = start
    while end - start < _MAX_VALUE:
        end = text.find("\n", end)
        if end < 0:
            return min(len(text), start + _MAX_VALUE)
        if text[end - 1] not in ";," and text[end - 2 : end] not in ("; ", ", "):
            return end
        end += 1
    return start + _MAX_VALUE


def _has_neighbour(text: str, labels: list[re.Match[str]], index: int) -> bool:
    """Return whether another label of a head is on the same line or on the line before or after."""
    label = labels[index]
    for other in labels[max(0, index - 1) : index + 2]:
        first, second = sorted((label, other), key=re.Match.start)
        between = text[first.end() : second.start()]
        if other is not label and len(between) <= _MAX_DISTANCE and between.count("\n") <= 2 + between.count(";\n"):
            return True
    return False


def find_names_in_list(text: str, start: int, end: int, *, is_sure: bool = False) -> Iterator[tuple[int, int]]:
    """Yield spans of the names in a list of recipients.

    Without addresses one word alone must be known as a name ("To: Claims"), unless `is_sure`.
    """
    value = text[start:end]
    position = 0
    by_address = MASKED_CHAR in value
    for separator in [*(_ADDRESS if by_address else _SEPARATOR).finditer(value), None]:
        entry_end = separator.start() if separator else len(value)
        for piece in re.finditer(r"[^;]+", value[position:entry_end]):
            for span in _find_names_in_entry(
                text, start + position + piece.start(), start + position + piece.end(), by_address
            ):
                if by_address or is_sure or " " in (name := text[slice(*span)]) or is_known_name(name):
                    yield span
        position = separator.end() if separator else entry_end


def _find_names_in_entry(text: str, start: int, end: int, has_address: bool) -> Iterator[tuple[int, int]]:
    """Yield the name of one recipient, or several names with commas between them."""
    if opening := _OPENING.search(text, start, end):
        if opening[0][-1] == " ":
            yield from _find_names_in_entry(text, opening.end(), end, has_address)
        end = opening.start()
    start, end = _trim(text, start, end)
    parts = [(start + part.start(), start + part.end()) for part in re.finditer(r"[^,]+", text[start:end])]
    parts = [
        span for span in (_trim(text, *part) for part in parts) if text[slice(*span)].lower().strip(".") not in _DEGREES
    ]
    counts = [len(text[slice(*part)].split()) for part in parts]
    index = 0
    while index < len(parts):
        is_last_first = index + 1 < len(parts) and _is_last_and_first(counts, index, len(parts))
        if is_last_first:
            last, first = parts[index], parts[index + 1]
            if is_person(text[slice(*last)]) and is_person(text[slice(*first)]):
                yield last[0], first[1]
                index += 2
                continue
        name = text[slice(*parts[index])]
        if is_person(name, any_case=has_address and counts[index] > 1):
            yield _without_title(text, *parts[index])
        index += 1


def _is_last_and_first(counts: list[int], index: int, total: int) -> bool:
    """Return whether two parts with a comma between them are one name: "Berg, Anna", not "Anna Berg, Tom Ek"."""
    return (counts[index] == 1 or (total == 2 and counts[index + 1] == 1 and counts[index] <= 3)) and counts[
        index + 1
    ] <= 3


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _TRIMMED:
        start += 1
    while end > start and text[end - 1] in _TRIMMED:
        end -= 1
    if text[end : end + 1] == "." and re.search(r"(?<![^\W_])[^\W\d_]\Z", text[start:end]):
        end += 1  # "Smith, J."
    return start, end


def _without_title(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without titles such as "Dr." before the name."""
    while (space := text.find(" ", start, end)) > 0 and text[start:space].lower().rstrip(".") in words.TITLE_WORDS:
        start = space + 1
    return start, end


def is_known_name(word: str) -> bool:
    """Return whether the word is a given name of the lexicons."""
    lower = word.lower()
    return lower in GIVEN_NAMES or lower in AMBIGUOUS


def is_person(name: str, *, any_case: bool = False) -> bool:
    """Return whether the words of `name` may be a person: no word of an organisation, each in the case of a name."""
    parts = name.split()
    while parts and parts[0].lower().rstrip(".") in words.TITLE_WORDS:
        parts.pop(0)
    if not 0 < len(parts) <= _MAX_WORDS or not all(_NAME_WORD.fullmatch(part) for part in parts):
        return False
    for index, part in enumerate(parts):
        lower = part.lower()
        if any(piece in words.ORGANISATION or piece in words.IN_SENDERS for piece in (lower, *lower.split("-"))):
            return False
        is_known = lower in GIVEN_NAMES or lower in AMBIGUOUS
        is_particle = lower in words.PARTICLE_WORDS and index + 1 < len(parts)
        if is_particle or is_known:
            continue
        if lower in words.NOT_A_NAME or not (part[0].isupper() or any_case):
            return False
    return any(len(part) > 1 for part in parts) and parts[-1].lower() not in words.PARTICLE_WORDS


def _find_names_of_quoted_authors(text: str) -> Iterator[tuple[int, int]]:
    for match in islice(_NAME_AFTER_VERB.finditer(text), _MAX_QUOTED):
        start, end = _trim(text, *match.span("name"))
        name = text[start:end]
        if is_person(name.replace(",", ""), any_case=False):
            yield _without_title(text, start, end)
    for verb in islice(_WROTE.finditer(text), _MAX_QUOTED):
        low = max(0, verb.start() - 140)
        for match in _WROTE_AFTER_NAME.finditer(text, max(low, verb.start() - 110), verb.end() + 80):
            if match.start("verb") <= verb.start() < match.end():
                if span := _name_before(text, match.start(), low):
                    yield span
                break


_WORD_BEFORE = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-](?=[^\W\d_]))*\.?")


def _name_before(text: str, end: int, low: int) -> tuple[int, int] | None:
    """Return the span of the name that ends at `end`, at most `_MAX_WORDS` words back."""
    line = max(low, text.rfind("\n", low, end) + 1)
    tail = re.search(rf"[^\d:;<>()\[\]{MASKED_CHAR}\n]*\Z", text[line:end])
    if not tail:
        return None
    start, end = _trim(text, line + tail.start(), end)
    if end < len(text) and text[end] == "." and end > start and text[end - 1].isupper():
        end += 1
    spans = [(start + word.start(), start + word.end()) for word in _WORD_BEFORE.finditer(text[start:end])]
    first = end
    for word_start, word_end in reversed(spans[-_MAX_WORDS:]):
        word = text[word_start:word_end]
        lower = word.lower()
        is_known = lower in GIVEN_NAMES or lower in AMBIGUOUS
        if not (word[0].isupper() or lower in words.PARTICLE_WORDS) or (
            lower in words.NOT_A_NAME and not is_known and lower not in words.PARTICLE_WORDS
        ):
            break
        gap = text[word_end:first] if first < end else ""
        if "," in gap and " " in text[first:end].strip():
            break  # a list, or a day before the name: "Monday, Anna Berg"
        first = word_start
    while first < end and text[first:end].split()[0].lower() in words.PARTICLE_WORDS and text[first].islower():
        first += len(text[first:end].split()[0]) + 1
    name = text[first:end]
    return _without_title(text, first, end) if first < end and is_person(name.replace(",", "")) else None
