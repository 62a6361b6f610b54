"""The caller, and the message, unmasked and masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from frontdesk.folding import fold
from frontdesk.types.message import IncomingMessage, Turn

PLACEHOLDER_KINDS = (
    *("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT"),
    *("ID", "IP", "ADDRESS", "NAME", "SECRET"),
)
_OPENING = re.compile(
    r"[\[\uff3b\ufe47\u3010\u3014\u27e6\u2772\ufe5d]|&(?:amp;)?(?:#|l)|%(?:25)?5b|=5b|\\", re.IGNORECASE
)
"""Prefilter: characters with which a placeholder may start, in any encoding."""
_ESCAPING = re.compile(r"[&%=\\]")
_EXACT_PLACEHOLDER = re.compile(r"\[[A-Z]+_[0-9]+\]")
_PLACEHOLDER = re.compile(
    r"[\[\u3010\u3014\u27e6\u2772\ufe5d]\s*"
    rf"([A-Z]+(?=_\d+\])|(?i:{'|'.join(PLACEHOLDER_KINDS)}))\s*[_\u203f\u2054-]\s*(\d+)"
    r"\s*[\]\u3011\u3015\u27e7\u2773\ufe5e]"
)


class Channel(StrEnum):
    """Channel of the message."""

    CHAT = "chat"
    EMAIL = "email"
    PHONE = "phone"
    SOCIAL = "social"
    WEB = "web"
    API = "api"


class CustomerTier(StrEnum):
    """Service tier of the customer."""

    FREE = "free"
    STANDARD = "standard"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of the API, from a verified token."""

    tenant: str
    subject: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Query:
    """A customer's message as received, already checked against the API's limits.

    `fresh`: bypass the caches of model outputs and replies. With an `idempotency_key` the query is answered once: a
    repeated request gets the same answer.
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
    html: str | None = field(default=None, repr=False)
    subject: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transcript: tuple[Turn, ...] = field(default=(), repr=False)

    @property
    def has_mail_fields(self) -> bool:
        """Whether the message has more fields than `text`."""
        return bool(self.html or self.subject or self.headers or self.transcript)

    def incoming(self) -> IncomingMessage:
        return IncomingMessage(self.text, self.html, self.subject, self.headers, self.transcript)


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A message without personal data: `text` has numbered placeholders of several kinds, such as `[ORDER_1]`.

    `originals` maps each placeholder to the original text. It exists as long as the request and is not in `repr`. A
    placeholder that is not in `originals` was typed by the customer.
    """

    text: str
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)

    def neutralize(self, text: str) -> str:
        """Return `text` with placeholders that have no original rewritten: "[ORDER_1]" becomes "(ORDER 1)".

        Covers other spellings ("[order_1]", full width, invisible characters inside), which could be mistaken for a
        placeholder. Call it before text is used for actions, replies, prompts or records.
        """
        if text.isascii() and not _ESCAPING.search(text):
            if text.count("[") == sum(map(self.originals.__contains__, _EXACT_PLACEHOLDER.findall(text))):
                return text  # every bracket belongs to a placeholder with an original
        elif not _OPENING.search(text):
            return text
        folded, copied_until = fold(text), 0
        pieces: list[str] = []
        for match in _PLACEHOLDER.finditer(folded.text):
            start, end = folded.original_span(*match.span())
            if text[start:end] not in self.originals:
                pieces += text[copied_until:start], f"({match[1].upper()} {match[2]})"
                copied_until = end
        return "".join((*pieces, text[copied_until:])) if pieces else text

    def restore(self, reply: str) -> str:
        """`reply` with the original text instead of every placeholder of this message."""
        for placeholder, original in self.originals.items():
            reply = reply.replace(placeholder, original)
        return reply
