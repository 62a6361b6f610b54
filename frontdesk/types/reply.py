"""What is said to the customer, and what a writer of it is told."""

from __future__ import annotations

from dataclasses import dataclass

from frontdesk.types.decision import Decision
from frontdesk.types.query import CustomerTier, MaskedText
from frontdesk.types.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Citation:
    """A knowledge passage that a reply rests on."""

    passage: str
    title: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check said of the reply: `findings` tell what is wrong, never with a customer's words."""

    name: str
    passed: bool
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A text for the customer. `source` says who wrote it (template or language_model), `citations` what it rests on.

    `checks` are those of the text that a language model wrote last, kept also where it was not used; `provider` is
    whom the writer asked. `prompt_hash` names the version and the content of the prompt's templates. `fallback` says
    why the template answered where a language model should have.
    """

    text: str
    source: str
    citations: tuple[Citation, ...]
    checks: tuple[CheckResult, ...] = ()
    provider: str = "template"
    prompt_hash: str | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What a writer is told. `language` is what the caller said of it; `contacts` are labels of earlier messages."""

    tenant: str
    text: MaskedText
    understanding: Understanding
    decision: Decision
    tier: CustomerTier = CustomerTier.STANDARD
    language: str | None = None
    contacts: tuple[str, ...] = ()
    model_version: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a reply that may be shown, still masked."""

    text: str


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """A reply, and the decision with which it may leave: never a bolder one than the writer was given."""

    reply: Reply
    decision: Decision
    skipped: tuple[str, ...] = ()
