"""The values that travel through one request, each stage its own frozen type.

    Query -> MaskedText -> Understanding -> Priority -> Decision -> Reply -> Answer

`MaskedText` being a type of its own means that a customer's raw words cannot reach a model, a language
model, a cache or a log by accident: what takes text there takes `MaskedText`.

Knows nothing of HTTP, databases or models. `Answer` is the contract of `/v1/understand`; with `reply` and
`stored` set it is the contract of `/v1/queries`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


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


class PriorityLevel(StrEnum):
    """How soon a person should look, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Action(StrEnum):
    """What Frontdesk proposes to do with the message."""

    AUTOMATE = "automate"
    DRAFT = "draft"
    CLARIFY = "clarify"
    ESCALATE = "escalate"


class Reason(StrEnum):
    """Why an action was chosen. `frontdesk.decision.automation.EXPLAINED` says each in a sentence."""

    CONFIDENT = "confidence_above_certified_threshold"
    BELOW_THRESHOLD = "confidence_below_threshold"
    NOT_CERTIFIED = "no_certified_threshold"
    POLICY_FORBIDS = "policy_forbids_automation"
    NO_POLICY = "intent_without_policy"
    OUT_OF_SCOPE = "out_of_scope"
    AMBIGUOUS = "several_intents_plausible"
    TOO_UNCERTAIN = "too_many_intents_plausible"
    WANTS_HUMAN = "customer_asks_for_a_person"
    URGENT = "urgent_priority"
    DEGRADED = "parts_of_the_system_skipped"
    REPLY_REFUSED = "reply_failed_its_checks"
    LANGUAGE_NOT_COVERED = "no_passage_in_the_customers_language"


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
    """

    text: str
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)

    def restore(self, reply: str) -> str:
        """`reply` with every placeholder of this message put back to what the customer wrote."""
        for placeholder, original in self.originals.items():
            reply = reply.replace(placeholder, original)
        return reply


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent that the message may have, with its calibrated probability."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What the customer wants. `confidence` is the calibrated probability that `label` is right."""

    label: str
    confidence: float
    candidates: tuple[Candidate, ...]
    in_scope: bool
    out_of_scope_probability: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How the customer feels: negative, neutral or positive, with the probability of each."""

    label: str
    confidence: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How unsure the ensemble is, each figure between 0 and 1.

    `score` is the entropy of a mean distribution over the logarithm of the number of intents; `epistemic` is the part
    that comes from disagreement between the distributions that were averaged, `aleatoric` the rest: what the message
    itself leaves open. By the `method` `head_dropout` they are those of the encoders under dropout masks, by
    `member_disagreement` those of all members.
    """

    score: float
    epistemic: float
    aleatoric: float
    method: str


@dataclass(frozen=True, slots=True)
class MemberOpinion:
    """What one base model alone would have said."""

    name: str
    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a champion makes of one message, before any policy is applied.

    `plausible` is the conformal set, the most probable first: the intents that cannot be ruled out at the coverage of
    the bundle.
    `automation_threshold` is the certified confidence for this intent; None where nothing could be certified.
    """

    intent: Intent
    sentiment: Sentiment
    uncertainty: Uncertainty
    members: tuple[MemberOpinion, ...]
    plausible: tuple[Candidate, ...]
    automation_threshold: float | None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorityPart:
    """One reason for a priority: its points and, in words, where they come from."""

    name: str
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Priority:
    """How soon a person should look: the sum of `parts`, between 0 and 100, and the level it falls in."""

    level: PriorityLevel
    score: float
    parts: tuple[PriorityPart, ...]


@dataclass(frozen=True, slots=True)
class SuggestedAction:
    """One thing that an agent may do next; `slots` hold what the message already says of it."""

    action: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HandOff:
    """What a person who takes over should know: what it is about, the mood, what was before, what is needed now."""

    what: str
    mood: str
    tried: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, why, and what an agent may do next.

    `actions` are the `suggested_actions` with their slots.
    `question` is what to ask the customer where the action is `clarify`, and `asks_about` the intents that it names, in
    its order.
    """

    action: Action
    reasons: tuple[Reason, ...]
    suggested_actions: tuple[str, ...]
    question: str | None = None
    asks_about: tuple[str, ...] = ()
    actions: tuple[SuggestedAction, ...] = ()


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
class Written:
    """A reply, and the decision with which it may leave: never a bolder one than the writer was given."""

    reply: Reply
    decision: Decision
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything Frontdesk says about one message; field names are those of the API."""

    query_id: str
    intent: Intent
    sentiment: Sentiment
    priority: Priority
    uncertainty: Uncertainty
    decision: Decision
    members: tuple[MemberOpinion, ...]
    model_version: str
    skipped: tuple[str, ...]
    timings_ms: Mapping[str, float]
    reply: Reply | None = None
    stored: str | None = None
    hand_off: HandOff | None = None


def restored(answer: Answer, text: MaskedText) -> Answer:
    """`answer` with the customer's own values back in its reply and its actions."""
    actions = tuple(
        SuggestedAction(of.action, {slot: text.restore(value) for slot, value in of.slots.items()})
        for of in answer.decision.actions
    )
    reply = answer.reply and replace(answer.reply, text=text.restore(answer.reply.text))
    return replace(answer, decision=replace(answer.decision, actions=actions), reply=reply)


@dataclass(frozen=True, slots=True)
class Understood:
    """The first event of an answer in the making: everything but the reply. The decision may still become a draft."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Final:
    """The last event: the answer of record, as it is kept. Its reply is what counts."""

    answer: Answer


AnswerEvent = Understood | Sentence | Final


@dataclass(frozen=True, slots=True)
class EarlierAnswer(Answer):
    """The answer that was given to this Idempotency-Key before, unchanged."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work under an Idempotency-Key: `id` is this attempt's own, `fingerprint` that of what was asked.

    `taken_in` says in which store, as the `stored` of an answer does.
    """

    id: str
    key: str
    fingerprint: str
    taken_in: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who (`subject` of `tenant`) did what (`action`) to what (`target`), and when. `details` is JSON.

    Nothing in it is a customer's: targets are ids or keyed hashes.
    """

    tenant: str
    subject: str
    action: str
    target: str
    details: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one request. `answer` is masked, as is `text.text`; the customer's own words are kept sealed.

    `claim` is there where the caller sent an Idempotency-Key: the acknowledged answer is kept under it.
    """

    caller: Caller
    query: Query = field(repr=False)
    text: MaskedText
    answer: Answer
    created_at: datetime
    response_time_ms: float
    claim: Claim | None = None

    def acknowledged(self, stored: str) -> Answer:
        """The answer as the caller gets it: with their own values in it and, beside a reply, how it is stored."""
        answer = restored(self.answer, self.text)
        return answer if answer.reply is None else replace(answer, stored=stored)
