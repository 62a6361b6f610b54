"""What comes in: who asks, and the message, raw and masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from frontdesk.folding import fold

PLACEHOLDER_KINDS = (
    *("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT"),
    *("ID", "IP", "ADDRESS", "NAME", "SECRET"),
)
_OPENING = re.compile(
    r"[\[\uff3b\ufe47\u3010\u3014\u27e6\u2772\ufe5d]|&(?:amp;)?(?:#|l)|%(?:25)?5b|=5b|\\", re.IGNORECASE
)
"""Prefilter: characters that may open a placeholder, in any encoding."""
_ESCAPING = re.compile(r"[&%=\\]")
_PLACEHOLDER = re.compile(
    r"[\[\u3010\u3014\u27e6\u2772\ufe5d]\s*"
    rf"([A-Z]+(?=_\d+\])|(?i:{'|'.join(PLACEHOLDER_KINDS)}))\s*[_\u203f\u2054-]\s*(\d+)"
    r"\s*[\]\u3011\u3015\u27e7\u2773\ufe5e]"
)


class Channel(StrEnum):
    """Where the message came in."""

    CHAT = "chat"
    EMAIL = "email"
    PHONE = "phone"
    SOCIAL = "social"
    WEB = "web"
    API = "api"


class CustomerTier(StrEnum):
    """What the customer pays for."""

    FREE = "free"
    STANDARD = "standard"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as a verified token says."""

    tenant: str
    subject: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Query:
    """A customer's message as it came in, already checked against the API's limits.

    `fresh` asks the models themselves, not a cache of what they said before. With an `idempotency_key` the same query
    is answered once: whoever sends it again gets the same answer.
    """

    text: str = field(repr=False)
    customer_id: str | None = None
    session_id: str | None = None
    channel: Channel = Channel.API
    customer_tier: CustomerTier = CustomerTier.STANDARD
    language: str | None = None
    waiting_since: datetime | None = None
    store: bool = True
    fresh: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A message without personal data: `text` holds typed, numbered placeholders such as `[ORDER_1]`.

    `originals` maps each placeholder to what it stands for. It lives as long as the request and is kept out of `repr`.
    A placeholder that is not in it was typed by the customer and has no original.
    """

    text: str
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)

    def neutralize(self, text: str) -> str:
        """Return `text` with placeholders that have no original rewritten: "[ORDER_1]" becomes "(ORDER 1)".

        Covers other spellings ("[order_1]", full width, invisible characters inside), which a reader could take for a
        placeholder. Use it before text is used for actions, replies, prompts or records.
        """
        if text.isascii() and not _ESCAPING.search(text):
            if text.count("[") == sum(map(text.count, self.originals)):
                return text  # every bracket opens a placeholder with an original
        elif not _OPENING.search(text):
            return text
        folded, copied_until = fold(text), 0
        pieces: list[str] = []
        for match in _PLACEHOLDER.finditer(folded.text):
            start, end = folded.span(*match.span())
            if text[start:end] not in self.originals:
                pieces += text[copied_until:start], f"({match[1].upper()} {match[2]})"
                copied_until = end
        return "".join((*pieces, text[copied_until:])) if pieces else text

    def restore(self, reply: str) -> str:
        """`reply` with every placeholder of this message put back to what the customer wrote."""
        for placeholder, original in self.originals.items():
            reply = reply.replace(placeholder, original)
        return reply
