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
    title = squeezed(normalized(subject[:MAX_TITLE]))
    first_line = normalized(own.lstrip().partition("\n")[0][:MAX_TITLE])
    is_titled = (_is_title(title) and not _REPLY.match(title)) or _is_title(first_line)
    return (is_titled or _has_signs(text)) and not _is_request(text)


def _is_title(line: str) -> bool:
    """Return whether a line is the title of automated mail, alone or followed by a colon."""
    match = robot_phrases.TITLE.match(line)
    if match is None:
        return False
    rest = line[match.end() :].lstrip()
    if line[: match.end()].lower() in _SHORT_TITLES:
        return rest.startswith(":")
    return not rest.strip(".!-* ") or rest[0] in ":|([-\u2013" or bool(_RANGE.match(rest))


def _has_signs(text: str) -> bool:
    """Return whether a text begins with a sentence of automated mail and has a further sign."""
    beginning = _GREETING.sub("", text, count=1)
    for sentence, details in _SIGNS:
        match = sentence.match(beginning) or sentence.match(text)
        if match is None:
            for start in _sentence_starts(beginning):
                match = sentence.match(beginning, start)
                if match:
                    break
        if match and details.search(beginning, match.start() if sentence is robot_phrases.RECEIPT else match.end()):
            return True
    return bool(robot_phrases.RECEIPT_DETAILS.match(beginning))


def _sentence_starts(text: str) -> list[int]:
    """Offsets of the second and third sentence, for mail that begins with "Thank you for your message."."""
    if not _COURTESY.match(text):
        return []
    return [match.end() for match in _SENTENCE_END.finditer(text, 0, 400)][:2]


def _is_request(text: str) -> bool:
    return bool(robot_phrases.HUMAN.search(text))


_SIGNS = (
    (robot_phrases.ABSENCE, robot_phrases.ABSENCE_DETAILS),
    (robot_phrases.BOUNCE, robot_phrases.BOUNCE_DETAILS),
    (robot_phrases.RECEIPT, robot_phrases.RECEIPT_DETAILS),
)
_WORD = re.compile(r"[^\W\d_]+")
_SUPPRESSED = frozenset({"all", "oof", "autoreply"})
_LIST_FIELDS = frozenset({"list-id", "list-post", "list-unsubscribe"})
_DAEMON = re.compile(r"\b(?:mailer-daemon|postmaster|mail-daemon)@|^mailer-daemon\b")
_REPLY = re.compile(r"(?:re|aw|antw|sv|odp|r|tr|fw|fwd|wg|rv|enc|ynt)\s?(?:\[\d+\])?:", re.IGNORECASE)
_SHORT_TITLES = frozenset("read gelesen lu letto lida leído gelezen ooo nieobecność undeliverable frånvaro fravær".split())
"""Titles that are also ordinary words: they count with a colon only."""
_RANGE = re.compile(r"(?:until|from|bis|vom|ab|du|jusqu|hasta|até|fino|dal|tot|van|do|od|re|aw)\b|\d", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:hello|hi|dear|hey|hallo|guten tag|guten morgen|sehr geehrte|liebe|bonjour|madame|cher|chère|hola|buenos días|buenas tardes|estimad|olá|bom dia|boa tarde|prezad|caro|buongiorno|salve"
    r"|gentile|goedemorgen|goedendag|beste|geachte|dzień dobry|witam|szanown)[^,.!:\n]{0,50}[,.!:]\s*",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:many )?(?:thank|danke|vielen dank|herzlichen dank|merci|je vous remercie|gracias|muchas gracias|obrigad|grazie|la ringrazio|bedankt|dank|hartelijk dank|dziękuję|dziękujemy|tack)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!]\s+")
