import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_UNSPECIFIED: _ClassVar[Channel]
    CHANNEL_CHAT: _ClassVar[Channel]
    CHANNEL_EMAIL: _ClassVar[Channel]
    CHANNEL_PHONE: _ClassVar[Channel]
    CHANNEL_SOCIAL: _ClassVar[Channel]
    CHANNEL_WEB: _ClassVar[Channel]
    CHANNEL_API: _ClassVar[Channel]

class CustomerTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CUSTOMER_TIER_UNSPECIFIED: _ClassVar[CustomerTier]
    CUSTOMER_TIER_FREE: _ClassVar[CustomerTier]
    CUSTOMER_TIER_STANDARD: _ClassVar[CustomerTier]
    CUSTOMER_TIER_PREMIUM: _ClassVar[CustomerTier]
    CUSTOMER_TIER_ENTERPRISE: _ClassVar[CustomerTier]

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_CUSTOMER: _ClassVar[Role]
    ROLE_AGENT: _ClassVar[Role]

class Act(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACT_UNSPECIFIED: _ClassVar[Act]
    ACT_REQUEST: _ClassVar[Act]
    ACT_AUTOMATED_MAIL: _ClassVar[Act]
    ACT_EMPTY: _ClassVar[Act]

class PartKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PART_KIND_UNSPECIFIED: _ClassVar[PartKind]
    PART_KIND_OWN: _ClassVar[PartKind]
    PART_KIND_SUBJECT: _ClassVar[PartKind]
    PART_KIND_QUOTATION: _ClassVar[PartKind]
    PART_KIND_FORWARDED: _ClassVar[PartKind]
    PART_KIND_MAIL_HEADER: _ClassVar[PartKind]
    PART_KIND_SIGNATURE: _ClassVar[PartKind]
    PART_KIND_FOOTER: _ClassVar[PartKind]
    PART_KIND_TRANSCRIPT: _ClassVar[PartKind]
    PART_KIND_PICTURE: _ClassVar[PartKind]
    PART_KIND_HIDDEN: _ClassVar[PartKind]

class PriorityLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_LEVEL_UNSPECIFIED: _ClassVar[PriorityLevel]
    PRIORITY_LEVEL_LOW: _ClassVar[PriorityLevel]
    PRIORITY_LEVEL_MEDIUM: _ClassVar[PriorityLevel]
    PRIORITY_LEVEL_HIGH: _ClassVar[PriorityLevel]
    PRIORITY_LEVEL_URGENT: _ClassVar[PriorityLevel]

class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_UNSPECIFIED: _ClassVar[Action]
    ACTION_AUTOMATE: _ClassVar[Action]
    ACTION_DRAFT: _ClassVar[Action]
    ACTION_CLARIFY: _ClassVar[Action]
    ACTION_ESCALATE: _ClassVar[Action]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_CONFIDENCE_ABOVE_CERTIFIED_THRESHOLD: _ClassVar[Reason]
    REASON_CONFIDENCE_BELOW_THRESHOLD: _ClassVar[Reason]
    REASON_NO_CERTIFIED_THRESHOLD: _ClassVar[Reason]
    REASON_POLICY_FORBIDS_AUTOMATION: _ClassVar[Reason]
    REASON_INTENT_WITHOUT_POLICY: _ClassVar[Reason]
    REASON_OUT_OF_SCOPE: _ClassVar[Reason]
    REASON_SEVERAL_INTENTS_PLAUSIBLE: _ClassVar[Reason]
    REASON_TOO_MANY_INTENTS_PLAUSIBLE: _ClassVar[Reason]
    REASON_CUSTOMER_ASKS_FOR_A_PERSON: _ClassVar[Reason]
    REASON_URGENT_PRIORITY: _ClassVar[Reason]
    REASON_PARTS_OF_THE_SYSTEM_SKIPPED: _ClassVar[Reason]
    REASON_REPLY_FAILED_ITS_CHECKS: _ClassVar[Reason]
    REASON_NO_PASSAGE_IN_THE_CUSTOMERS_LANGUAGE: _ClassVar[Reason]
    REASON_AUTOMATED_MAIL: _ClassVar[Reason]
    REASON_EMPTY_MESSAGE: _ClassVar[Reason]
CHANNEL_UNSPECIFIED: Channel
CHANNEL_CHAT: Channel
CHANNEL_EMAIL: Channel
CHANNEL_PHONE: Channel
CHANNEL_SOCIAL: Channel
CHANNEL_WEB: Channel
CHANNEL_API: Channel
CUSTOMER_TIER_UNSPECIFIED: CustomerTier
CUSTOMER_TIER_FREE: CustomerTier
CUSTOMER_TIER_STANDARD: CustomerTier
CUSTOMER_TIER_PREMIUM: CustomerTier
CUSTOMER_TIER_ENTERPRISE: CustomerTier
ROLE_UNSPECIFIED: Role
ROLE_CUSTOMER: Role
ROLE_AGENT: Role
ACT_UNSPECIFIED: Act
ACT_REQUEST: Act
ACT_AUTOMATED_MAIL: Act
ACT_EMPTY: Act
PART_KIND_UNSPECIFIED: PartKind
PART_KIND_OWN: PartKind
PART_KIND_SUBJECT: PartKind
PART_KIND_QUOTATION: PartKind
PART_KIND_FORWARDED: PartKind
PART_KIND_MAIL_HEADER: PartKind
PART_KIND_SIGNATURE: PartKind
PART_KIND_FOOTER: PartKind
PART_KIND_TRANSCRIPT: PartKind
PART_KIND_PICTURE: PartKind
PART_KIND_HIDDEN: PartKind
PRIORITY_LEVEL_UNSPECIFIED: PriorityLevel
PRIORITY_LEVEL_LOW: PriorityLevel
PRIORITY_LEVEL_MEDIUM: PriorityLevel
PRIORITY_LEVEL_HIGH: PriorityLevel
PRIORITY_LEVEL_URGENT: PriorityLevel
ACTION_UNSPECIFIED: Action
ACTION_AUTOMATE: Action
ACTION_DRAFT: Action
ACTION_CLARIFY: Action
ACTION_ESCALATE: Action
REASON_UNSPECIFIED: Reason
REASON_CONFIDENCE_ABOVE_CERTIFIED_THRESHOLD: Reason
REASON_CONFIDENCE_BELOW_THRESHOLD: Reason
REASON_NO_CERTIFIED_THRESHOLD: Reason
REASON_POLICY_FORBIDS_AUTOMATION: Reason
REASON_INTENT_WITHOUT_POLICY: Reason
REASON_OUT_OF_SCOPE: Reason
REASON_SEVERAL_INTENTS_PLAUSIBLE: Reason
REASON_TOO_MANY_INTENTS_PLAUSIBLE: Reason
REASON_CUSTOMER_ASKS_FOR_A_PERSON: Reason
REASON_URGENT_PRIORITY: Reason
REASON_PARTS_OF_THE_SYSTEM_SKIPPED: Reason
REASON_REPLY_FAILED_ITS_CHECKS: Reason
REASON_NO_PASSAGE_IN_THE_CUSTOMERS_LANGUAGE: Reason
REASON_AUTOMATED_MAIL: Reason
REASON_EMPTY_MESSAGE: Reason

class Query(_message.Message):
    __slots__ = ("text", "customer_id", "session_id", "channel", "customer_tier", "language", "waiting_since", "store", "html", "subject", "headers", "transcript")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TIER_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    HTML_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    text: str
    customer_id: str
    session_id: str
    channel: Channel
    customer_tier: CustomerTier
    language: str
    waiting_since: _timestamp_pb2.Timestamp
    store: bool
    html: str
    subject: str
    headers: _containers.ScalarMap[str, str]
    transcript: _containers.RepeatedCompositeFieldContainer[Turn]
    def __init__(self, text: _Optional[str] = ..., customer_id: _Optional[str] = ..., session_id: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., customer_tier: _Optional[_Union[CustomerTier, str]] = ..., language: _Optional[str] = ..., waiting_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., store: _Optional[bool] = ..., html: _Optional[str] = ..., subject: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., transcript: _Optional[_Iterable[_Union[Turn, _Mapping]]] = ...) -> None: ...

class Turn(_message.Message):
    __slots__ = ("role", "text")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    role: Role
    text: str
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., text: _Optional[str] = ...) -> None: ...

class BatchRequest(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[Query]
    def __init__(self, queries: _Optional[_Iterable[_Union[Query, _Mapping]]] = ...) -> None: ...

class BatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchResult, _Mapping]]] = ...) -> None: ...

class BatchResult(_message.Message):
    __slots__ = ("answer", "error")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    answer: Answer
    error: _status_pb2.Status
    def __init__(self, answer: _Optional[_Union[Answer, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class AnswerEvent(_message.Message):
    __slots__ = ("understanding", "sentence", "final")
    UNDERSTANDING_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    understanding: Answer
    sentence: Sentence
    final: Answer
    def __init__(self, understanding: _Optional[_Union[Answer, _Mapping]] = ..., sentence: _Optional[_Union[Sentence, _Mapping]] = ..., final: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...

class Sentence(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("query_id", "intent", "sentiment", "priority", "uncertainty", "decision", "members", "model_version", "skipped", "timings_ms", "reply", "stored", "hand_off", "act", "message")
    class TimingsMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    UNCERTAINTY_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_MS_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    HAND_OFF_FIELD_NUMBER: _ClassVar[int]
    ACT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    intent: Intent
    sentiment: Sentiment
    priority: Priority
    uncertainty: Uncertainty
    decision: Decision
    members: _containers.RepeatedCompositeFieldContainer[MemberOpinion]
    model_version: str
    skipped: _containers.RepeatedScalarFieldContainer[str]
    timings_ms: _containers.ScalarMap[str, float]
    reply: Reply
    stored: str
    hand_off: HandOff
    act: Act
    message: MessageSummary
    def __init__(self, query_id: _Optional[str] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ..., sentiment: _Optional[_Union[Sentiment, _Mapping]] = ..., priority: _Optional[_Union[Priority, _Mapping]] = ..., uncertainty: _Optional[_Union[Uncertainty, _Mapping]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., members: _Optional[_Iterable[_Union[MemberOpinion, _Mapping]]] = ..., model_version: _Optional[str] = ..., skipped: _Optional[_Iterable[str]] = ..., timings_ms: _Optional[_Mapping[str, float]] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., stored: _Optional[str] = ..., hand_off: _Optional[_Union[HandOff, _Mapping]] = ..., act: _Optional[_Union[Act, str]] = ..., message: _Optional[_Union[MessageSummary, _Mapping]] = ...) -> None: ...

class MessageSummary(_message.Message):
    __slots__ = ("own_characters", "parts")
    OWN_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    own_characters: int
    parts: _containers.RepeatedCompositeFieldContainer[MessagePart]
    def __init__(self, own_characters: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[MessagePart, _Mapping]]] = ...) -> None: ...

class MessagePart(_message.Message):
    __slots__ = ("kind", "characters")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    kind: PartKind
    characters: int
    def __init__(self, kind: _Optional[_Union[PartKind, str]] = ..., characters: _Optional[int] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("label", "confidence", "candidates", "in_scope", "out_of_scope_probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    IN_SCOPE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_SCOPE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    confidence: float
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    in_scope: bool
    out_of_scope_probability: float
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., in_scope: _Optional[bool] = ..., out_of_scope_probability: _Optional[float] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("label", "probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    probability: float
    def __init__(self, label: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class Sentiment(_message.Message):
    __slots__ = ("label", "confidence", "scores")
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    label: str
    confidence: float
    scores: _containers.ScalarMap[str, float]
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ..., scores: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Priority(_message.Message):
    __slots__ = ("level", "score", "parts")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    level: PriorityLevel
    score: float
    parts: _containers.RepeatedCompositeFieldContainer[PriorityPart]
    def __init__(self, level: _Optional[_Union[PriorityLevel, str]] = ..., score: _Optional[float] = ..., parts: _Optional[_Iterable[_Union[PriorityPart, _Mapping]]] = ...) -> None: ...

class PriorityPart(_message.Message):
    __slots__ = ("name", "points", "because")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    points: float
    because: str
    def __init__(self, name: _Optional[str] = ..., points: _Optional[float] = ..., because: _Optional[str] = ...) -> None: ...

class Uncertainty(_message.Message):
    __slots__ = ("score", "epistemic", "aleatoric", "method")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    EPISTEMIC_FIELD_NUMBER: _ClassVar[int]
    ALEATORIC_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    score: float
    epistemic: float
    aleatoric: float
    method: str
    def __init__(self, score: _Optional[float] = ..., epistemic: _Optional[float] = ..., aleatoric: _Optional[float] = ..., method: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("action", "reasons", "suggested_actions", "question", "asks_about", "actions")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ASKS_ABOUT_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    action: Action
    reasons: _containers.RepeatedScalarFieldContainer[Reason]
    suggested_actions: _containers.RepeatedScalarFieldContainer[str]
    question: str
    asks_about: _containers.RepeatedScalarFieldContainer[str]
    actions: _containers.RepeatedCompositeFieldContainer[SuggestedAction]
    def __init__(self, action: _Optional[_Union[Action, str]] = ..., reasons: _Optional[_Iterable[_Union[Reason, str]]] = ..., suggested_actions: _Optional[_Iterable[str]] = ..., question: _Optional[str] = ..., asks_about: _Optional[_Iterable[str]] = ..., actions: _Optional[_Iterable[_Union[SuggestedAction, _Mapping]]] = ...) -> None: ...

class SuggestedAction(_message.Message):
    __slots__ = ("action", "slots")
    class SlotsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    action: str
    slots: _containers.ScalarMap[str, str]
    def __init__(self, action: _Optional[str] = ..., slots: _Optional[_Mapping[str, str]] = ...) -> None: ...

class HandOff(_message.Message):
    __slots__ = ("what", "mood", "tried", "needed")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    MOOD_FIELD_NUMBER: _ClassVar[int]
    TRIED_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    what: str
    mood: str
    tried: _containers.RepeatedScalarFieldContainer[str]
    needed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, what: _Optional[str] = ..., mood: _Optional[str] = ..., tried: _Optional[_Iterable[str]] = ..., needed: _Optional[_Iterable[str]] = ...) -> None: ...

class MemberOpinion(_message.Message):
    __slots__ = ("name", "intent", "confidence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    intent: str
    confidence: float
    def __init__(self, name: _Optional[str] = ..., intent: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("text", "source", "citations", "checks", "provider", "prompt_hash", "fallback")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROMPT_HASH_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    text: str
    source: str
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    checks: _containers.RepeatedCompositeFieldContainer[CheckResult]
    provider: str
    prompt_hash: str
    fallback: str
    def __init__(self, text: _Optional[str] = ..., source: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., checks: _Optional[_Iterable[_Union[CheckResult, _Mapping]]] = ..., provider: _Optional[str] = ..., prompt_hash: _Optional[str] = ..., fallback: _Optional[str] = ...) -> None: ...

class CheckResult(_message.Message):
    __slots__ = ("name", "passed", "findings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    passed: bool
    findings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., passed: _Optional[bool] = ..., findings: _Optional[_Iterable[str]] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("passage", "title")
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    passage: str
    title: str
    def __init__(self, passage: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...
