# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Internet addresses: links that may contain a secret, e-mail and IP addresses. Other links are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.masking.spans import END, START, Span, drop_overlaps

_URL = re.compile(r"(?:(?<![a-z\d+.-])[a-z][a-z\d+.-]{0,15}+://|(?<![^\W_])www\.)[^\s<>\"\0]+", re.IGNORECASE)
_BARE_URL = re.compile(
    r"(?<![\w@./:-])(?:[a-z\d-]{1,40}\.){1,4}[a-z]{2,10}(?::\d{2,5})?(?:/[^\s<>\"\0?#]{0,200}(?:[?#][^\s<>\"\0]+)?|\?[^\s<>\"\0=]+=[^\s<>\"\0]+)",
    re.IGNORECASE,
)
BARE_URL_PART = re.compile(r"\.[A-Za-z]{2,10}(?::\d{2,5})?[/?]")
"""Part of every link that `find_bare_urls` finds."""
_URL_TAIL = ".,;:!?)]}'*"
_TOKEN_IN_PATH = re.compile(
    r"/(?=[a-z_-]*\d)(?=[\d_-]*[a-z])[\w-]{20,}+(?:/|\Z)"
    r"|/(?:reset|verify|confirm|activate|invite|join|magic|login|share|token|[a-z])/(?=[a-z_-]*\d)(?=[\d_-]*[a-z])[\w-]{8,}+(?:/|\Z)",
    re.IGNORECASE | re.ASCII,
)
_DOMAIN = r"(?:(?=[\w.-]*?[^\W\d_]{2})[\w-]++(?:(?=\.[\w-])\.[\w-]++)++|\[[\da-fA-F.:]{3,45}\])"
_HOST = r"(?=[\w-]*?[^\W\d_]{2})[^\W\d_][\w-]{1,62}+(?![@\w])"
_EMAIL = re.compile(
    rf"(?P<box>{START}\w[\w.%+-]{{0,99}}+(?:['’]\w[\w.%+-]{{0,99}}+)?|\"[^\"\n\0@]{{1,64}}+\")@(?:{_DOMAIN}|(?P<host>{_HOST}))"
)
_BROKEN_BOX = re.compile(r"(?<![^\W_])(?:(?P<name>[^\W\d_]{2,20})\.|\w{1,30}[_+-]|\w{1,30}\d\.)\n\Z")
_TAGS = frozenset("latest next beta alpha canary rc stable nightly lts edge head".split())
"""Release names in a package registry: "chat@latest"."""
_RELEASE = re.compile(r"v?\d+(?:\.\d+){0,3}(?:[-+][\w+-]*)?|v?\d+(?:\.\d+){2}[-+][\w.+-]*", re.ASCII)
_RETINA_IMAGE = re.compile(
    r"[1-4](?:\.5)?x(?:[._-][\w-]{1,20})?\.(?:png|jpe?g|gif|webp|svg|avif|ico|bmp|tiff?|heic|pdf|css|js)", re.IGNORECASE
)
_NOT_A_BOX = frozenset(
    "me us it them bought ordered shop shopping found seen here live online deal deals sale items stuff pieces pcs only each now".split()
)
_ANNOUNCED_EMAIL = re.compile(
    rf"{START}(?:e-?mail|mail|courriel|correo|adresse|address|dirección|indirizzo)(?:[ :=]|is\b|ist\b|est\b|es\b|è\b|address\b|adresse\b|me\b|électronique\b|electrónico\b|lautet\b){{1,6}}"
    rf"(\w[\w.%+-]{{0,99}}+ (?:at|@) {_DOMAIN})",
    re.IGNORECASE,
)
_DOTTED_BOX = re.compile(
    rf"{START}\w{{2,40}}[._]\w{{2,40}} (?:at|AT|At) [\w-]{{2,40}}\.(?:com|net|org|info|co\.uk|de|fr|es|it|eu|example|test)(?![^\W_])"
)
_OCTET, _HEX = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)", r"[\da-f]{1,4}"
_IP = re.compile(
    rf"{START}(?:(?:{_OCTET}\.){{3}}{_OCTET}|(?:{_OCTET} \. ){{3}}{_OCTET}|(?:{_HEX}:){{7}}{_HEX}"
    rf"|[\da-f]{{4}}:(?:{_HEX}:){{0,5}}(?::{_HEX}){{1,6}}){END}",
    re.ASCII | re.IGNORECASE,
)

_VERSION_WORDS = (
    r"chapter|section|sect|sec|paragraph|clause|article|version|versions|ver|vers|v|release|firmware|fw|software|driver|kernel|build|revision|rev|patch"
    r"|kapitel|abschnitt|absatz|ziffer|artikel|treiber|firmware-?version|softwareversion|treiberversion"
    r"|chapitre|pilote|versión|capítulo|sección|capitolo|sezione|versione|versie|hoofdstuk|kapitlet|§"
)
_VERSION_BEFORE = re.compile(
    rf"(?<![^\W_])(?:(?:{_VERSION_WORDS})(?:[.:=]? |[\"']? ?[:=] ?[\"']?)(?:(?:is|ist|was|war|number|no|nr|now|jetzt|to|auf)[.:]? ){{0,3}}"
    r"|(?P<update>updated?|upgraded?|downgraded?|aktualisiert) (?:(?:from|to|von|auf) )?)"
    rf"(?:(?:\d+(?:\.\d+)*|\0{{3,15}}) ?(?:and|und|to|or|auf|nach|->|=>|→) ?(?:v|version )?)?\Z",
    re.IGNORECASE,
)
"""Words before chapters and versions with four parts: "Firmware 10.2.0.14", "upgrade from 2.4.0.1 to 2.4.1.10"."""
_TO_VERSION = re.compile(r" ?(?:-+>|=>|→) ?v?\d(?:\.\d){2}\.\d{1,3}(?![\w.])")
_FROM_VERSION = re.compile(r"(?<![\w.])v?\d(?:\.\d){2}\.\d{1,3} ?(?:-+>|=>|→) ?\Z")
_LETTERS = re.compile(r"[^\W\d_]|§")
_THREE_DIGITS = re.compile(r"\d{3}")
_SMALL = re.compile(r"\d(?:\.\d){2}\.\d{1,3}")
"""Version with single digits in its first three parts, which is required for two numbers with an arrow between."""


def find_urls(text: str) -> Iterator[Span]:
    """Yield links with user information, a query, a fragment, or a path with a token of 20 letters and digits."""
    for match in _URL.finditer(text):
        link = match[0].rstrip(_URL_TAIL)
        authorities = [rest.partition("/")[0] for rest in link.split("://")[1:]]
        may_have_secret = "?" in link or "#" in link or any("@" in authority for authority in authorities)
        if may_have_secret or _TOKEN_IN_PATH.search(link, len(link) - len(link.partition("://")[2])):
            yield match.start(), match.start() + len(link), "URL"


def find_bare_urls(text: str) -> Iterator[Span]:
    """Yield links without a scheme that have a query, a fragment, or a token of 20 characters in their path."""
    for match in _BARE_URL.finditer(text):
        link = match[0].rstrip(_URL_TAIL)
        if "?" in link or "#" in link or _TOKEN_IN_PATH.search(link):
            yield match.start(), match.start() + len(link), "URL"


def find_emails(text: str) -> Iterator[Span]:
    """Yield e-mail addresses, also with a host without a dot ("anna@localhost") or a mailbox split over two lines."""
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        box = match["box"].lower()
        domain = text[match.end("box") + 1 : end]
        if match["host"] and (box in _NOT_A_BOX or box.isdigit() or domain.lower() in _TAGS):
            continue
        if domain[0] in "0123456789v" and (_RELEASE.fullmatch(domain) or _RETINA_IMAGE.fullmatch(domain)):
            continue
        if text[start - 1 : start] == "\n":
            first_line = _BROKEN_BOX.search(text, max(0, start - 40), start)
            if first_line and (not first_line["name"] or first_line["name"].lower() in GIVEN_NAMES):
                start = first_line.start()
        yield start, end, "EMAIL"


def find_emails_with_word_at(text: str) -> Iterator[Span]:
    """Yield e-mail addresses with the word "at", after a word that announces an address."""
    spans = [match.span(1) for match in _ANNOUNCED_EMAIL.finditer(text)]
    spans += [match.span() for match in _DOTTED_BOX.finditer(text)]
    for start, end in drop_overlaps(spans):
        yield start, end, "EMAIL"


def find_ip_addresses(text: str) -> Iterator[Span]:
    """Yield IP addresses; versions and chapter numbers in the same format are kept."""
    if text.count(".") >= 3 or text.count(":") >= 2:
        for match in _IP.finditer(text):
            yield *match.span(), "" if _is_version(text, *match.span()) else "IP"


def _is_version(text: str, start: int, end: int) -> bool:
    """Return whether a version word precedes `text[start:end]`, or an arrow connects it to another version."""
    low = max(0, start - 48)
    before = _VERSION_BEFORE.search(text, low, start) if _LETTERS.search(text, low, start) else None
    if before and not (before["update"] and _THREE_DIGITS.search(text, start, end)):
        return True
    if not _SMALL.fullmatch(text, start, end):
        return False
    return bool(_TO_VERSION.match(text, end) or _FROM_VERSION.search(text, max(0, start - 20), start))
