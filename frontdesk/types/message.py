"""The message as it arrived, and the message split into parts by `frontdesk.messages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

HEADER_NAMES = frozenset(
    {
        *("auto-submitted", "precedence", "x-autoreply", "x-autorespond", "x-auto-response-suppress"),
        *("list-id", "list-post", "list-unsubscribe", "x-google-group-id"),
        *("return-path", "from", "content-type", "x-failed-recipients"),
    }
)
"""Mail header fields that the parser uses, in lower case. All other fields are ignored."""


class Act(StrEnum):
    """What kind of contact a message is."""

    REQUEST = "request"
    AUTOMATED_MAIL = "automated_mail"
    EMPTY = "empty"


class PartKind(StrEnum):
    """What a span of a message is. `OWN` is evaluated, and `SUBJECT` where there is no other text."""

    OWN = "own"
    SUBJECT = "subject"
    QUOTATION = "quotation"
    FORWARDED = "forwarded"
    MAIL_HEADER = "mail_header"
    SIGNATURE = "signature"
    FOOTER = "footer"
    TRANSCRIPT = "transcript"
    PICTURE = "picture"
    HIDDEN = "hidden"


class Role(StrEnum):
    """Who wrote a turn of a transcript."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat transcript."""

    role: Role
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message as it arrived.

    `text` is plain text, or HTML that an integration put into the text field. Where `html` has a visible character, it
    is parsed and `text` is ignored. `transcript` holds earlier turns of the same chat. `headers` are mail header
    fields; names are compared without regard to case, and names outside `HEADER_NAMES` are ignored.
    """

    text: str = field(default="", repr=False)
    html: str | None = field(default=None, repr=False)
    subject: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transcript: tuple[Turn, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A span of `Message.source`: `text` is `source[start:end]`."""

    kind: PartKind
    start: int
    end: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message split into parts.

    `source` is the decoded text: for plain text the text as it arrived; for HTML its visible text. `parts` cover
    `source` without gaps: `"".join(part.text for part in parts) == source`. `own` is the customer's own new text,
    without surrounding blanks, and the only text that is evaluated. With `subject_is_own` it includes the subject.
    """

    own: str = field(repr=False)
    act: Act
    source: str = field(repr=False)
    parts: tuple[Part, ...]
    subject_is_own: bool = False

    def is_own(self, part: Part) -> bool:
        """Whether the part is evaluated."""
        return part.kind is PartKind.OWN or (part.kind is PartKind.SUBJECT and self.subject_is_own)

    @property
    def subject(self) -> Part | None:
        """The subject, if there is one."""
        return next((part for part in self.parts if part.kind is PartKind.SUBJECT), None)

    def summarize(self) -> MessageSummary:
        parts = tuple(PartSummary(part.kind, part.end - part.start) for part in self.parts)
        return MessageSummary(len(self.own), parts)

    @property
    def other_parts(self) -> tuple[Part, ...]:
        """The parts that are stored and shown, but not evaluated."""
        return tuple(part for part in self.parts if not self.is_own(part))


@dataclass(frozen=True, slots=True)
class PartSummary:
    """Kind and length of a part of a message."""

    kind: PartKind
    characters: int


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """How a message was split: the length of the customer's own text, and all parts in order, without text."""

    own_characters: int
    parts: tuple[PartSummary, ...]


@dataclass(frozen=True, slots=True)
class MaskedPart:
    """A part of a message that is not evaluated, with personal data replaced by placeholders."""

    kind: PartKind
    text: str
