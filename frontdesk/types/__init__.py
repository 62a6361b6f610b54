"""The values that travel through one request, each stage its own frozen type.

    Query -> MaskedText -> Understanding -> Priority -> Decision -> Reply -> Answer

`MaskedText` being a type of its own means that a customer's raw words cannot reach a model, a language
model, a cache or a log by accident: what takes text there takes `MaskedText`.

Knows nothing of HTTP, databases or models. `Answer` is the contract of `/v1/understand`; with `reply` and
`stored` set it is the contract of `/v1/queries`.
"""

from frontdesk.types.answer import Answer, AnswerEvent, EarlierAnswer, FinalAnswer, PreliminaryAnswer, restore_originals
from frontdesk.types.decision import Action, Decision, HandOff, Reason, SuggestedAction
from frontdesk.types.priority import Priority, PriorityLevel, PriorityPart
from frontdesk.types.query import Caller, Channel, CustomerTier, MaskedText, Query
from frontdesk.types.record import AuditEntry, Claim, Record
from frontdesk.types.reply import CheckResult, Citation, Reply, ReplyRequest, Sentence, WrittenReply
from frontdesk.types.understanding import Candidate, Intent, MemberOpinion, Sentiment, Uncertainty, Understanding

__all__ = [
    "Action",
    "Answer",
    "AnswerEvent",
    "AuditEntry",
    "Caller",
    "Candidate",
    "Channel",
    "CheckResult",
    "Citation",
    "Claim",
    "CustomerTier",
    "Decision",
    "EarlierAnswer",
    "FinalAnswer",
    "HandOff",
    "Intent",
    "MaskedText",
    "MemberOpinion",
    "PreliminaryAnswer",
    "Priority",
    "PriorityLevel",
    "PriorityPart",
    "Query",
    "Reason",
    "Record",
    "Reply",
    "ReplyRequest",
    "Sentence",
    "Sentiment",
    "SuggestedAction",
    "Uncertainty",
    "Understanding",
    "WrittenReply",
    "restore_originals",
]
