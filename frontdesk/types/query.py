"""What comes in: who asks, and the message, raw and masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from frontdesk.folding import Folded, fold

_PLACEHOLDER = re.compile(r"\[[ \n]?([A-Za-z]{2,12})[ \n]?_[ \n]?(\d+)[ \n]?\]")
_BRACKET = re.compile(r"[\[&\\%=\uff3b\ufe47\u3010\u3014\u3016\u27e6\u2772\u2045]")
"""What "[" may be written with."""
_UNUSUAL = re.compile(r"[^\n -~\xa1-\xac\xae-\u024f\u2018-\u201e\u20ac]|[&\\%=<*`~\xb2\xb3\xb9]|  |_[\W_]|[\W_]_")
"""What folding may change in a placeholder."""


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
    A placeholder that is not in it was typed by the customer, and stands for nothing.
    """

    text: str
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)

    def neutralize(self, text: str) -> str:
        """`text` with each placeholder that this message has no original for rewritten: "[ORDER_1]" as "(ORDER 1)".

        In every spelling that folding knows, and in small letters: whoever reads it could take it for a placeholder.

        For everything that acts on placeholders or shows them: actions, replies, prompts, records.
        """
        if not _BRACKET.search(text):
            return text
        folded = fold(text) if _UNUSUAL.search(text) else Folded(text, range(len(text) + 1))
        pieces: list[str] = []
        done = 0
        for found in _PLACEHOLDER.finditer(folded.text):
            start, end = folded.span(*found.span())
            if text[start:end] not in self.originals:
                pieces += text[done:start], f"({found[1].upper()} {found[2]})"
                done = end
        return "".join((*pieces, text[done:])) if pieces else text

    def restore(self, reply: str) -> str:
        """`reply` with every placeholder of this message put back to what the customer wrote."""
        for placeholder, original in self.originals.items():
            reply = reply.replace(placeholder, original)
        return reply
