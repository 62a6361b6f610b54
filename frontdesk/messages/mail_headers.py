"""Recognize the headers that mail clients write above quoted mail, in several languages.

    On Mon, 2 Feb 2026 at 11:40, Anna <anna@example.com> wrote:          a reply header, on one to four lines
    From: Anna / Sent: Monday / To: Shop / Subject: Order                a header block, one field a line
    -----Original Message-----                                           a marker line

Headers of unknown languages are recognized by an address, a time and a date in one line that ends with a colon.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from frontdesk.messages.lexicons import mail_words
from frontdesk.messages.lines import Lines
from frontdesk.types.message import PartKind

MAX_HEADER_LINES = 4
MAX_HEADER_CHARACTERS = 320
MAX_SHORT_HEADER = 200
MAX_NAME_HEADER = 80
MAX_FIELDS = 14
MAX_LABEL_CHARACTERS = 24


class HeaderBlock(NamedTuple):
    """A header block. `end` is the line after it."""

    end: int
    fields: frozenset[str]
    has_sent_label: bool


def marker_kind(lines: Lines, index: int) -> PartKind | None:
    """The kind of quotation that a marker line such as "-----Original Message-----" announces."""
    key = lines.keys[index]
    if not 8 <= len(key) <= 120:
        return None
    phrase = key.strip(_DECORATION).lower()
    kind = _MARKERS.get(phrase)
    if kind is None:
        return PartKind.QUOTATION if _is_reply_above(key) else None
    if phrase != key.lower():
        return kind
    following = lines.next_written(index + 1)
    return kind if following < len(lines) and field_of(lines.keys[following]) else None


def is_rule(key: str) -> bool:
    """Return whether a line is a horizontal rule, as Outlook puts it above a header block."""
    return len(key) >= 5 and not key.strip("_-=*")


def field_of(key: str) -> str | None:
    """The field ("from", "date", "to", "subject", "other") that a line of a header block begins with."""
    label, colon, _ = key.partition(":")
    if not colon:
        label, colon, _ = key.partition("\uff1a")
    if not colon or len(label) > MAX_LABEL_CHARACTERS:
        return None
    return _FIELDS.get(label.strip("* _\t>").lower())


def header_block(lines: Lines, index: int, *, is_announced: bool = False) -> HeaderBlock | None:
    """The header block that begins at line `index`.

    Without a marker line before it (`is_announced`) a block needs a sender, a date and a recipient or subject: a
    customer may write "From: Berlin" and "To: Madrid" too.
    """
    fields: set[str] = set()
    has_sent_label = has_address = False
    end = index
    for at in range(index, min(len(lines), index + MAX_FIELDS)):
        key = lines.keys[at]
        field = field_of(key)
        if field:
            fields.add(field)
            has_sent_label = has_sent_label or key.strip("* _>").lower().startswith(_SENT)
        elif not key and at == end:
            continue  # one blank line between two fields
        elif not key or at > end or not _continues_field(key, lines.keys[at - 1]):
            break
        has_address = has_address or "@" in key
        end = at + 1
    is_complete = "from" in fields and "date" in fields and ("subject" in fields or ("to" in fields and has_address))
    if is_complete or (is_announced and "from" in fields and len(fields) >= 2):
        return HeaderBlock(end, frozenset(fields), has_sent_label)
    return None


def _continues_field(key: str, above: str) -> bool:
    """Return whether a line continues the list of recipients in the line above."""
    return "@" in key or key.endswith((",", ";")) or above.endswith((",", ";"))


def reply_header_start(lines: Lines, end: int) -> int | None:
    """The first line of the reply header whose last line is line `end`; None where `end` ends no header."""
    last = lines.keys[end]
    if last.startswith("--") and last.endswith("--"):  # Zoho: "---- On Mon ... wrote ----"
        return end if _is_dated_header(last.strip("- ")) else None
    if not last.endswith((":", "\uff1a", ": >")):
        return None
    block = ""
    for start in range(end, max(-1, end - MAX_HEADER_LINES), -1):
        key = lines.keys[start]
        if not key or key.startswith(">") or (start < end and lines.kinds[start] is not None):
            break
        block = f"{key} {block}" if block else key
        if len(block) > MAX_HEADER_CHARACTERS:
            break
        if _is_dated_header(block):
            return start
    return end if _is_short_header(lines, end) else None


def _is_dated_header(block: str) -> bool:
    """Return whether a block is a reply header that begins with its date: "On Mon, 2 Feb 2026 ... wrote:"."""
    first = _WORD.search(block)
    if first is None:
        return False
    begins = first[0].lower() in mail_words.STARTERS and first.start() <= 2
    if not begins and not _BEGINS_WITH_DATE.match(block):
        return False
    if not _TIME_OR_ADDRESS.search(block):
        return False
    if _DATE_AND_ADDRESS.match(block):
        return True
    return _has_verb(block)


def _is_short_header(lines: Lines, index: int) -> bool:
    """Return whether a line is a reply header that begins with the name: "Anna <anna@example.com> wrote:"."""
    key = lines.keys[index]
    if len(key) > MAX_SHORT_HEADER:
        return False
    has_address = bool(_ADDRESS.search(key))
    if has_address and _TIME.search(key) and _DAY.search(key):
        return True  # a header in a language whose verb is not known
    following = lines.next_written(index + 1)
    is_followed = following < len(lines) and (
        lines.keys[following].startswith(">") or lines.kinds[following] is PartKind.QUOTATION
    )
    if is_followed and (has_address or (_TIME.search(key) and _DAY.search(key))):
        return True
    if not _has_verb(key):
        return False
    return (
        (has_address and bool(_ADDRESS_AND_VERB.search(key)))
        or (bool(_TIME_OR_ADDRESS.search(key)) and bool(_VERB_AND_DATE.search(key)))
        or (is_followed and len(key) <= MAX_NAME_HEADER)
    )


def _has_verb(block: str) -> bool:
    """Return whether a block has the verb of a reply header, and an address or no pronoun."""
    words = _WORD.findall(block.lower())
    if not mail_words.WROTE.isdisjoint(words):
        return "@" in block or mail_words.PRONOUNS.isdisjoint(words[1:])
    return not block.isascii() and any(verb in block for verb in mail_words.WROTE_UNSPACED)


def _is_reply_above(key: str) -> bool:
    return bool(_DECORATED.search(key) and _REPLY_ABOVE.search(key))


def _fields() -> dict[str, str]:
    labels = {
        "other": mail_words.OTHER_LABELS,
        "to": mail_words.TO_LABELS,
        "from": mail_words.FROM_LABELS,
        "date": mail_words.DATE_LABELS,
        "subject": mail_words.SUBJECT_LABELS,
    }
    return {label.replace("_", " "): field for field, names in labels.items() for label in names.split()}


_FIELDS = _fields()
_SENT = (
    "sent",
    "gesendet",
    "envoyé",
    "enviad",
    "inviato",
    "verzonden",
    "wysłan",
    "skickat",
    "sendt",
    "lähetetty",
    "gönder",
)
"""Labels of the date in Outlook's header blocks; a mail's own header says "Date"."""
_MARKERS = {
    **dict.fromkeys(mail_words.FORWARDED_MARKERS, PartKind.FORWARDED),
    **dict.fromkeys(mail_words.ORIGINAL_MARKERS, PartKind.QUOTATION),
}
_DECORATION = "-_=*:#<>~+. \t"
_DECORATED = re.compile(r"[-=#*_]{2}")
_REPLY_ABOVE = re.compile(mail_words.REPLY_ABOVE, re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_TIME_OR_ADDRESS = re.compile(r"\d{1,2}[:.h]\d\d|\b(?:19|20)\d\d\b|<[^<>\s]+@[^<>\s]+>|@")
_ADDRESS = re.compile(r"[<(\[](?:mailto:)?[^<>()\s@]{1,64}@[^<>()\s]{1,100}[>)\]]")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
_DAY = re.compile(
    rf"(?<!\d)(?:19|20)\d\d(?!\d)|\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2}}|\b\d{{1,2}}\.? {mail_words.MONTHS}", re.IGNORECASE
)
_BEGINS_WITH_DATE = re.compile(
    rf"(?:{mail_words.WEEKDAYS}[^\W\d_]{{0,9}}[.,]*\s+)?(?:den |de |d\. )?"
    rf"(?:\d{{1,4}}[./-]\s?\d{{1,2}}[./-]|\d{{1,2}}\.?\s+(?:de |di )?{mail_words.MONTHS}"
    rf"|{mail_words.MONTHS}[^\W\d_]{{0,8}}\.?\s+\d{{1,2}}\b|\d{{4}}年)",
    re.IGNORECASE,
)
_DATE_AND_ADDRESS = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s[^<>]{0,120}<[^<>\s]+@[^<>\s]+>:$")
_ADDRESS_AND_VERB = re.compile(
    r"@[^\s<>]+>?\)?\]?,?\s+(?:hat |a |ha |heeft )?[^\W\d_]+(?:\([^\W\d_]{1,3}\))?\s?[:\uff1a]$"
)
_VERBS = "|".join(sorted(mail_words.WROTE, key=len, reverse=True))
_VERB_AND_DATE = re.compile(
    rf"\b(?:{_VERBS})\b(?:\([^\W\d_]{{1,3}}\))?,? (?:[^\W\d_]{{1,8}}[.,]? ){{0,3}}\d", re.IGNORECASE
)
