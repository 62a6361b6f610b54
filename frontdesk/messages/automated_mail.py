"""Recognize mail that a program wrote: absence notes, bounces, receipts of other help desks, mailing lists.

Header fields decide where they are given. By text, a mail is automated where its subject or first line is the title of
one, or where it begins with a sentence of one and has further signs. Any sign of a customer's request makes it a
request: answering a robot costs a mail, ignoring a customer costs the customer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from frontdesk.messages.lexicons import robot_phrases
from frontdesk.messages.lines import normalized, squeezed

MAX_EXAMINED = 2_500
MAX_TITLE = 140
MAX_HEADER_VALUE = 500
MAX_HEADING = 40


def is_automated_by_headers(headers: Mapping[str, str]) -> bool:
    """Return whether header fields say that a program sent the mail."""
    if not headers:
        return False
    fields = {name.lower(): value.strip().lower()[:MAX_HEADER_VALUE] for name, value in headers.items()}
    auto_submitted = fields.get("auto-submitted", "no").partition(";")[0].strip()
    if auto_submitted not in ("", "no"):
        return True
    if fields.get("x-autoreply", "no") not in ("", "no", "false") or fields.get("x-autorespond"):
        return True
    if not _SUPPRESSED.isdisjoint(re.split(r"[\s,;]+", fields.get("x-auto-response-suppress", ""))):
        return True
    if fields.get("return-path") == "<>" or fields.get("x-failed-recipients"):
        return True
    if fields.get("content-type", "").startswith("multipart/report") or _DAEMON.search(fields.get("from", "")):
        return True
    precedence = fields.get("precedence", "")
    if precedence in ("bulk", "junk", "auto_reply"):
        return True
    is_list = precedence == "list" or not _LIST_FIELDS.isdisjoint(fields)
    return is_list and "x-google-group-id" not in fields  # a support address may be a Google Group


def is_automated_by_text(subject: str, own: str) -> bool:
    """Return whether the subject and the own text read like those of automated mail."""
    beginning = f"{subject[:MAX_TITLE]}\n{own[:MAX_EXAMINED]}".lower()
    if robot_phrases.STEMS.isdisjoint([word[:5] for word in _WORD.findall(beginning)]):
        return False
    text = squeezed(normalized(own[:MAX_EXAMINED]))
    if robot_phrases.HUMAN.search(text):
        return False
    title = squeezed(normalized(subject[:MAX_TITLE]))
    first_line = normalized(own.lstrip().partition("\n")[0][:MAX_TITLE])
    if (_is_title(title) and not _REPLY.match(title)) or _is_title(first_line):
        return not _asks_for_oneself(text)
    if "?" in text:
        return False
    return _has_signs(text) or (len(first_line) <= MAX_HEADING and _has_signs(text[len(squeezed(first_line)) :].lstrip()))


def _is_title(line: str) -> bool:
    """Return whether a line is the title of automated mail, alone or followed by a colon."""
    match = robot_phrases.TITLE.match(line)
    if match is None:
        return False
    rest = line[match.end() :].lstrip()
    if match[0].lower() in _SHORT_TITLES:
        return rest.startswith(":")
    return not rest.strip(".!-* ") or rest[0] in ":|([-\u2013" or bool(_RANGE.match(rest))


def _has_signs(text: str) -> bool:
    """Return whether a text begins with a sentence of automated mail and has a further sign."""
    greeting = _GREETING.match(text)
    beginning = text[greeting.end() :] if greeting else text
    starts = [0, *_later_sentences(beginning)]
    absence = _first_match(robot_phrases.ABSENCE, beginning, starts)
    if absence:
        rest = beginning[absence.end() :]
        if robot_phrases.ABSENCE_DETAILS.search(rest) or _has_only_dates(rest):
            return True
    bounce = _first_match(robot_phrases.BOUNCE, beginning, starts)
    if bounce and robot_phrases.BOUNCE_DETAILS.search(beginning, bounce.end()):
        return True
    if robot_phrases.FIRST_PERSON.search(beginning):
        return False
    if robot_phrases.DECLARED.search(beginning):
        return True
    receipt = _first_match(robot_phrases.RECEIPT, beginning, starts)
    return bool(receipt and robot_phrases.RECEIPT_DETAILS.search(beginning))


def _has_only_dates(rest: str) -> bool:
    """Return whether the rest of an absence note says nothing but how long the absence lasts."""
    return len(rest) <= MAX_DATES and all(
        word in robot_phrases.DATE_WORDS or word[:3] in robot_phrases.MONTHS for word in _WORD.findall(rest.lower())
    )


def _first_match(pattern: re.Pattern[str], text: str, starts: list[int]) -> re.Match[str] | None:
    return next((match for start in starts if (match := pattern.match(text, start))), None)


def _later_sentences(text: str) -> list[int]:
    """Offsets of the second and third sentence, for mail that begins with "Thank you for your message."."""
    if not _COURTESY.match(text):
        return []
    return [match.end() for match in _SENTENCE_END.finditer(text, 0, 400)][:2]


def _asks_for_oneself(text: str) -> bool:
    """Return whether a question of the text is about its writer: "Who can help me?", not "Need help?"."""
    return any(
        robot_phrases.FIRST_PERSON.search(question) for question in _QUESTION.findall(text[:MAX_EXAMINED])
    )


MAX_DATES = 120
_QUESTION = re.compile(r"[^.!?]{0,300}\?")
_WORD = re.compile(r"[^\W\d_]+")
_SUPPRESSED = frozenset({"all", "oof", "autoreply"})
_LIST_FIELDS = frozenset({"list-id", "list-post", "list-unsubscribe"})
_DAEMON = re.compile(r"\b(?:mailer-daemon|postmaster|mail-daemon)@|^mailer-daemon\b")
_REPLY = re.compile(r"(?:re|aw|antw|sv|odp|r|tr|fw|fwd|wg|rv|enc|ynt)\s?(?:\[\d+\])?:", re.IGNORECASE)
_SHORT_TITLES = frozenset("read gelesen lu letto lida leído gelezen ooo nieobecność undeliverable frånvaro fravær".split())
"""Titles that are also ordinary words: they count with a colon only."""
_RANGE = re.compile(r"(?:until|from|bis|vom|ab|du|jusqu|hasta|até|fino|dal|tot|van|do|od|re|aw)\b|\d", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:hello|hi|dear|hey|hallo|guten tag|guten morgen|sehr geehrter?|liebe[rs]?|bonjour|madame|cher|chère|hola|buenos días|buenas tardes|estimad[oa]s?|olá|bom dia|boa tarde|prezad[oa]s?"
    r"|caro|buongiorno|salve|gentile|goedemorgen|goedendag|beste|geachte|dzień dobry|witam|szanown[aiy])\b[^,.!:\n]{0,50}[,.!:]\s*",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:many )?(?:thank|danke|vielen dank|herzlichen dank|merci|je vous remercie|gracias|muchas gracias|obrigad|grazie|la ringrazio|bedankt|dank|hartelijk dank|dziękuję|dziękujemy|tack)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!]\s+")
