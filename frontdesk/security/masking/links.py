# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Addresses of the internet: links that may carry a secret, e-mail, IP. Other links are left to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.security.masking.given_names import GIVEN_NAMES
from frontdesk.security.masking.spans import END, START, Found

_URL = re.compile(r"(?:(?<![a-z\d+.-])[a-z][a-z\d+.-]{0,15}+://|(?<![^\W_])www\.)[^\s<>\"\0]+", re.IGNORECASE)
_BARE_URL = re.compile(
    r"(?<![\w@./:-])(?:[a-z\d-]{1,40}\.){1,4}[a-z]{2,10}(?::\d{2,5})?(?:/[^\s<>\"\0?#]{0,200}(?:[?#][^\s<>\"\0]+)?|\?[^\s<>\"\0=]+=[^\s<>\"\0]+)",
    re.IGNORECASE,
)
BARE_LINK = re.compile(r"\.[A-Za-z]{2,10}(?::\d{2,5})?[/?]")
"""Is in every link without a scheme that `bare_urls` looks at."""
_URL_TAIL = ".,;:!?)]}'*"
_TOKEN_IN_PATH = re.compile(r"/(?=[a-z_-]*\d)(?=[\d_-]*[a-z])[\w-]{20,}+(?:/|\Z)", re.IGNORECASE | re.ASCII)
_DOMAIN = r"(?:(?=[\w.-]*?[^\W\d_]{2})[\w-]++(?:\.[\w-]++)++|\[[\da-fA-F.:]{3,45}\])"
_HOST = r"(?=[\w-]*?[^\W\d_]{2})[^\W\d_][\w-]{1,62}+(?![@\w])"
_EMAIL = re.compile(
    rf"(?P<box>{START}\w[\w.%+-]{{0,99}}+(?:['’]\w[\w.%+-]{{0,99}}+)?|\"[^\"\n\0@]{{1,64}}+\")@(?:{_DOMAIN}|(?P<host>{_HOST}))"
)
_BROKEN_BOX = re.compile(r"(?<![^\W_])(?:(?P<name>[^\W\d_]{2,20})\.|\w{1,30}[_+-]|\w{1,30}\d\.)\n\Z")
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

_NUMBERED = re.compile(
    r"(?<![^\W_])(?:chapter|section|sect|sec|paragraph|clause|article|version|ver|v|release|firmware|build|kapitel|abschnitt|absatz|ziffer"
    r"|chapitre|version|versión|capítulo|sección|capitolo|sezione|versione|hoofdstuk|kapitlet|§)[.:]? (?:\d+(?:\.\d+)* (?:and|und|to|or) )?\Z",
    re.IGNORECASE,
)
"""Numbers of chapters and versions have four parts too."""


def urls(text: str) -> Iterator[Found]:
    """Links with user information, a query, a fragment, or a path that holds 20 mixed characters in a row."""
    for found in _URL.finditer(text):
        link = found[0].rstrip(_URL_TAIL)
        authorities = [rest.partition("/")[0] for rest in link.split("://")[1:]]
        secret = "?" in link or "#" in link or any("@" in authority for authority in authorities)
        if secret or _TOKEN_IN_PATH.search(link, len(link) - len(link.partition("://")[2])):
            yield found.start(), found.start() + len(link), "URL"


def bare_urls(text: str) -> Iterator[Found]:
    """Links with a query, a fragment, or 20 mixed characters in a path that were written without https://."""
    for found in _BARE_URL.finditer(text):
        link = found[0].rstrip(_URL_TAIL)
        if "?" in link or "#" in link or _TOKEN_IN_PATH.search(link):
            yield found.start(), found.start() + len(link), "URL"


def emails(text: str) -> Iterator[Found]:
    """Addresses, a host without a dot ("anna@localhost", "anna@gmail") and a box broken over two lines included."""
    for found in _EMAIL.finditer(text):
        start, end = found.span()
        box = found["box"].lower()
        if found["host"] and (box in _NOT_A_BOX or box.isdigit()):
            continue
        if text[start - 1 : start] == "\n":
            first = _BROKEN_BOX.search(text, max(0, start - 40), start)
            if first and (not first["name"] or first["name"].lower() in GIVEN_NAMES):
                start = first.start()
        yield start, end, "EMAIL"


def announced_emails(text: str) -> Iterator[Found]:
    """Addresses with the word "at" for their sign, behind a word that says that they are one."""
    spans = [found.span(1) for found in _ANNOUNCED_EMAIL.finditer(text)]
    spans += [found.span() for found in _DOTTED_BOX.finditer(text)]
    done = 0
    for start, end in sorted(spans):
        if start >= done:
            done = end
            yield start, end, "EMAIL"


def ips(text: str) -> Iterator[Found]:
    if text.count(".") >= 3 or text.count(":") >= 2:
        for found in _IP.finditer(text):
            if not _NUMBERED.search(text, max(0, found.start() - 24), found.start()):
                yield *found.span(), "IP"
