"""Written mails with the customer's own new words marked, and how many of them `parse` separates correctly.

The words stand between ⟦ and ⟧; an HTML mail names them in `own`. Texts are compared without regard to blanks.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from frontdesk.messages import IncomingMessage, Role, Turn, parse

_MARKED = re.compile("⟦(.*?)⟧", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MarkedMail:
    """A mail with the own text and the act that are right."""

    id: str
    kind: str
    language: str
    incoming: IncomingMessage
    own: str
    act: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the parser made of one mail: `outside` are words that are not the customer's, `lost` words that are."""

    id: str
    is_equal: bool
    is_act_right: bool
    outside: tuple[str, ...]
    lost: tuple[str, ...]


def marked_mails(folder: str = "corpus") -> list[MarkedMail]:
    """All mails of a folder beside this file."""
    paths = sorted((Path(__file__).parent / folder).glob("*.yaml"))
    return [_marked_mail(entry) for path in paths for entry in yaml.safe_load(path.read_text("utf-8"))]


def result_of(mail: MarkedMail) -> Result:
    """Parse a mail and compare."""
    message = parse(mail.incoming)
    words, right_words = Counter(message.own.split()), Counter(mail.own.split())
    return Result(
        id=mail.id,
        is_equal=message.own.split() == mail.own.split(),
        is_act_right=message.act == mail.act,
        outside=tuple(words - right_words),
        lost=tuple(right_words - words),
    )


def _marked_mail(entry: dict[str, Any]) -> MarkedMail:
    text = entry.get("text", "")
    return MarkedMail(
        id=entry["id"],
        kind=entry["kind"],
        language=entry["id"].partition("-")[0],
        incoming=IncomingMessage(
            text=text.replace("⟦", "").replace("⟧", ""),
            html=entry.get("html"),
            subject=entry.get("subject", ""),
            headers=entry.get("headers", {}),
            transcript=tuple(Turn(Role(turn["role"]), turn["text"]) for turn in entry.get("transcript", [])),
        ),
        own=entry["own"] if "own" in entry else "\n".join(_MARKED.findall(text)),
        act=entry.get("act", "request"),
    )
