"""The values that pass through one request. Each stage has its own frozen type.

    Query -> Message -> MaskedText -> Understanding -> Priority -> Decision -> Reply -> Answer

Models, the language model, caches and logs accept text only as `MaskedText`, so that unmasked text of a customer cannot
reach them by accident. This package does not depend on HTTP, databases or models. `Answer` is the contract of
`/v1/understand`; with `reply` and `stored` it is the contract of `/v1/queries`.
"""

from frontdesk.types.answer import Answer, AnswerEvent, EarlierAnswer, FinalAnswer, PreliminaryAnswer, restore_originals
from frontdesk.types.decision import Action, Decision, HandOff, Reason, SuggestedAction
from frontdesk.types.message import (
    Act,
    IncomingMessage,
    MaskedPart,
    Message,
    MessageSummary,
    Part,
    PartKind,
    PartSummary,
    Role,
    Turn,
)
from frontdesk.types.priority import Priority, PriorityLevel, PriorityPart
from frontdesk.types.query import Caller, Channel, CustomerTier, MaskedText, Query
from frontdesk.types.record import AuditEntry, Claim, Record
from frontdesk.types.reply import CheckResult, Citation, Reply, ReplyRequest, Sentence, WrittenReply
from frontdesk.types.understanding import Candidate, Intent, MemberOpinion, Sentiment, Uncertainty, Understanding

__all__ = [
    "Act",
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
    "IncomingMessage",
    "Intent",
    "MaskedPart",
    "MaskedText",
    "MemberOpinion",
    "Message",
    "MessageSummary",
    "Part",
    "PartKind",
    "PartSummary",
    "PreliminaryAnswer",
    "Priority",
    "PriorityLevel",
    "PriorityPart",
    "Query",
    "Reason",
    "Record",
    "Reply",
    "ReplyRequest",
    "Role",
    "Sentence",
    "Sentiment",
    "SuggestedAction",
    "Turn",
    "Uncertainty",
    "Understanding",
    "WrittenReply",
    "restore_originals",
]
