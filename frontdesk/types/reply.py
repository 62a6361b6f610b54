"""The reply to the customer, and the input of the reply writer."""

from __future__ import annotations

from dataclasses import dataclass

from frontdesk.types.decision import Decision
from frontdesk.types.query import CustomerTier, MaskedText
from frontdesk.types.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage of the knowledge base that supports a reply."""

    passage: str
    title: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check of the reply. `findings` describe the problems, without text of a customer."""

    name: str
    passed: bool
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A text for the customer.

    `source`: "template" or "language_model".
    `citations`: the passages that support the text.
    `checks`: results for the last text of the language model, also if that text was not used.
    `provider`: the provider that the writer called.
    `prompt_hash`: identifies the version and the content of the prompt templates.
    `fallback`: why the template was used instead of the language model.
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
    """Input of a reply writer. `language` comes from the caller; `contacts` are phrases on earlier contacts."""

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
    """A part of a reply that may be shown. The reply writer yields it masked; `AnswerQuery` restores the originals."""

    text: str


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """A reply with its decision: the one from the request, or one that requires a review by a person."""

    reply: Reply
    decision: Decision
    skipped: tuple[str, ...] = ()
