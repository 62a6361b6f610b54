"""Recognize mail that a program wrote: absence notes, bounces, receipts of other help desks, mailing lists.

Header fields decide where they are given. By text, a mail is automated where its subject or first line is the title of
one, or where it begins with a sentence of one and has further signs. Any sign of a customer's request makes it a
request: answering a program costs a mail, ignoring a customer costs the customer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from frontdesk.messages.lexicons import automated_phrases as phrases
from frontdesk.messages.lexicons import subject_phrases
from frontdesk.messages.lexicons.first_person import FIRST_PERSON
from frontdesk.messages.lines import normalized, squeezed

MAX_EXAMINED = 2_000
MAX_TITLE = 140
MAX_HEADING = 40
MAX_DATES = 120
MAX_HEADER_VALUE = 500
MAX_COURTESY = 400
"""Only so much of the beginning is split into sentences."""


def is_automated_by_headers(headers: Mapping[str, str]) -> bool:
    """Return whether header fields say that a program sent the mail."""
    if not headers:
        return False
    fields = {name.lower(): value.strip().lower()[:MAX_HEADER_VALUE] for name, value in headers.items()}
    precedence = fields.get("precedence", "")
    is_list = precedence == "list" or not _LIST_FIELDS.isdisjoint(fields)
    return (
        fields.get("auto-submitted", "").partition(";")[0].strip() not in _NO
        or fields.get("x-autoreply", "") not in _NO
        or bool(fields.get("x-autorespond"))
        or not _SUPPRESSED.isdisjoint(_SEPARATORS.split(fields.get("x-auto-response-suppress", "")))
        or fields.get("return-path") == "<>"
        or bool(fields.get("x-failed-recipients"))
        or fields.get("content-type", "").startswith("multipart/report")
        or bool(_DAEMON.search(fields.get("from", "")))
        or precedence in _AUTOMATED_PRECEDENCE
        or (is_list and "x-google-group-id" not in fields)  # a support address may be a Google Group
    )


def is_automated_by_text(subject: str, own: str) -> bool:
    """Return whether the subject and the own text read like those of automated mail."""
    beginning = f"{subject[:MAX_TITLE]}\n{own[:MAX_EXAMINED]}".lower()
    if phrases.STEMS.isdisjoint([word[:5] for word in _WORD.findall(beginning)]):
        return False
    text = squeezed(normalized(own[:MAX_EXAMINED]))
    title = squeezed(normalized(subject[:MAX_TITLE]))
    first_line = squeezed(normalized(own.lstrip().partition("\n")[0][:MAX_TITLE]))
    if _is_title(first_line) or (_is_title(title) and not subject_phrases.REPLY.match(title)):
        return not (_asks_for_oneself(text) or phrases.HUMAN.search(text))
    if "?" in text:
        return False
    has_signs = _has_signs(text) or (len(first_line) <= MAX_HEADING and _has_signs(text[len(first_line) :].lstrip()))
    return has_signs and not phrases.HUMAN.search(text)


def _is_title(line: str) -> bool:
    """Return whether a line is the title of automated mail, alone or followed by a colon or a date."""
    match = phrases.TITLE.match(line)
    if match is None:
        return False
    rest = line[match.end() :].lstrip()
    if match[0].lower() in _ORDINARY_WORDS:
        return rest.startswith(":")
    return not rest.strip(".!-* ") or rest[0] in ":|([-\u2013" or bool(_DATE_OR_REPLY.match(rest))


def _has_signs(text: str) -> bool:
    """Return whether a text begins with a sentence of automated mail and has a further sign."""
    greeting = phrases.GREETING.match(text)
    body = text[greeting.end() :] if greeting else text
    starts = [0, *_later_sentences(body)]
    absence = _first_match(phrases.ABSENCE, body, starts)
    if absence and (phrases.ABSENCE_DETAILS.search(body, absence.end()) or _has_only_dates(body[absence.end() :])):
        return True
    bounce = _first_match(phrases.BOUNCE, body, starts)
    if bounce and phrases.BOUNCE_DETAILS.search(body, bounce.end()):
        return True
    if FIRST_PERSON.search(body):
        return False
    if _first_match(phrases.RECEIPT, body, starts) and phrases.RECEIPT_DETAILS.search(body):
        return True
    lowered = body.lower()
    return any(word in lowered for word in _WORDS_OF_DECLARATIONS) and bool(phrases.DECLARED.search(body))


def _has_only_dates(rest: str) -> bool:
    """Return whether the rest of an absence note says nothing but how long the absence lasts."""
    words = _WORD.findall(rest.lower())
    return len(rest) <= MAX_DATES and all(word in phrases.DATE_WORDS or word[:3] in phrases.MONTHS for word in words)


def _first_match(pattern: re.Pattern[str], text: str, starts: list[int]) -> re.Match[str] | None:
    return next((match for start in starts if (match := pattern.match(text, start))), None)


def _later_sentences(text: str) -> list[int]:
    """Offsets of the second and third sentence, for mail that begins with "Thank you for your message."."""
    if not phrases.COURTESY.match(text):
        return []
    return [match.end() for match in _SENTENCE_END.finditer(text, 0, MAX_COURTESY)][:2]


def _asks_for_oneself(text: str) -> bool:
    """Return whether a question of the text is about its writer: "Who can help me?", not "Need help?"."""
    return any(FIRST_PERSON.search(question) for question in _QUESTION.findall(text))


_WORDS_OF_DECLARATIONS = ("auto", "computer", "reply", "respond", "antwort", "répond", "rispond", "beantw", "odpowiad")
_NO = ("", "no", "false")
_AUTOMATED_PRECEDENCE = ("bulk", "junk", "auto_reply")
_SUPPRESSED = frozenset({"all", "oof", "autoreply"})
_LIST_FIELDS = frozenset({"list-id", "list-post", "list-unsubscribe"})
_SEPARATORS = re.compile(r"[\s,;]+")
_DAEMON = re.compile(r"\b(?:mailer-daemon|postmaster|mail-daemon)@|^mailer-daemon\b")
_ORDINARY_WORDS = frozenset(
    "read gelesen lu letto lida leído gelezen ooo nieobecność undeliverable frånvaro fravær".split()
)
"""Titles that are also ordinary words: they count with a colon only."""
_DATE_OR_REPLY = re.compile(
    r"(?:until|from|bis|vom|ab|du|jusqu|hasta|até|fino|dal|tot|van|do|od|re|aw)\b|\d", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!]\s+")
_QUESTION = re.compile(r"[^.!?]{0,300}\?")
_WORD = re.compile(r"[^\W\d_]+")
