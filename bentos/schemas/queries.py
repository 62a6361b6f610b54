"""Models of request bodies, and error messages for violations.

Pydantic parses the JSON; it refuses NaN, lone surrogates, invalid UTF-8 and deep nesting. `json_text.py` finds the
fields with such strings. Error messages never contain input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import cache
from itertools import takewhile
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, from_json

from bentos.schemas.json_bounds import MAX_BATCH_ITEMS, check_json_structure, split_json_list_items
from bentos.schemas.json_text import Location, find_undecodable_strings, not_json
from frontdesk.errors import MAX_VIOLATIONS, FrontdeskError, InvalidQuery, TooLarge
from frontdesk.language_tags import MAX_TAG_CHARACTERS, TAG_PATTERN, canonical_language_tag
from frontdesk.messages.limits import MAX_FIELD_CHARACTERS, MAX_SUBJECT_CHARACTERS, MAX_TURNS
from frontdesk.security.revocations import MAX_ID_LENGTH
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS
from frontdesk.storage.sql.feedback import NewFeedback
from frontdesk.taxonomy import OUT_OF_SCOPE
from frontdesk.time_slicing import CooperativeSteps, run_steps
from frontdesk.types import Channel, CustomerTier, PriorityLevel, Query, Role, Turn
from frontdesk.types.message import HEADER_NAMES

MAX_OTHER_BYTES = 262_144
"""Limit of a batch body with an unexpected form, which is parsed as a whole to report the violations."""

MAX_UNCHECKED_BYTES = 65_536
"""The structure of a larger body is checked before it is parsed. Checking 256 KiB takes 0.3 ms."""

T = TypeVar("T")

_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]")


def _check_without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold NUL characters")
    return value


def check_iso_time(value: object) -> object:
    """Refuse numbers and strings of digits, which pydantic would interpret as seconds since 1970."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("should be an ISO 8601 time such as 2026-01-31T09:30:00Z")
    return value


def check_utc_range(moment: datetime) -> datetime:
    """The moment, unchanged. Raises ValueError if it lies outside the years 1 to 9999 in UTC."""
    if moment.tzinfo is not None:
        to_utc(moment)
    return moment


def to_utc(moment: datetime) -> datetime:
    """The moment in UTC. Raises ValueError if it lies outside the years 1 to 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("should be a time between the years 1 and 9999 in UTC") from None


Label = AfterValidator(_check_without_nul)
LanguageTag = Annotated[
    str,
    Field(max_length=MAX_TAG_CHARACTERS),
    AfterValidator(canonical_language_tag),
    WithJsonSchema({"type": "string", "pattern": TAG_PATTERN, "maxLength": MAX_TAG_CHARACTERS}),
]


def select_known_headers(headers: Mapping[str, T]) -> dict[str, T]:
    """The header fields that are used, in lower case. Other fields are ignored, so that all headers can be sent."""
    return {name.lower(): value for name, value in headers.items() if name.lower() in HEADER_NAMES}


def _known_headers(value: object) -> object:
    return select_known_headers(value) if isinstance(value, dict) else value


Text = Annotated[str, Field(max_length=MAX_FIELD_CHARACTERS), Label]
HeaderValue = Annotated[str, Field(max_length=MAX_SUBJECT_CHARACTERS), Label]


class TurnIn(BaseModel):
    """One turn of a chat."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    role: Role = Field(description="Who wrote the turn: `customer`, or `agent` for everybody else.")
    text: Text


def _violation(field: str, problem: str) -> ValidationError:
    """The error of a model for one of its fields."""
    detail = InitErrorDetails(type="value_error", loc=(field,), input=None, ctx={"error": ValueError(problem)})
    return ValidationError.from_exception_data("QueryIn", [detail])


class QueryIn(BaseModel):
    """One customer message: `text`, or the `html` of a mail, or a `transcript`; at least one of them has text.

    The customer's own text, without quotations, signatures and footers, has at most 4,000 characters.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    text: Text = Field(
        "",
        description="The customer's message: plain text, a whole mail as plain text, or HTML.",
        examples=["Where is my parcel? Order #48213 should have come on Monday."],
    )
    customer_id: Annotated[str, Field(min_length=1, max_length=50), Label] | None = None
    session_id: Annotated[str, Field(min_length=1, max_length=100), Label] | None = None
    channel: Channel = Channel.API
    customer_tier: CustomerTier = CustomerTier.STANDARD
    language: LanguageTag | None = Field(
        None, description="A language tag such as `en` or `pt-BR`. A locale name such as `pt_BR` is read as its tag."
    )
    waiting_since: (
        Annotated[datetime, Strict(False), BeforeValidator(check_iso_time), AfterValidator(check_utc_range)] | None
    ) = Field(
        None,
        description="When the customer's waiting time began, in UTC unless it has an offset. A time in the future "
        "counts as now; a time more than ten years ago counts as ten years ago.",
    )
    store: bool = Field(True, description="Store the masked message and the result.")
    html: Text | None = Field(None, description="The HTML of a mail. If it has text, `text` is ignored.")
    subject: Annotated[str, Field(max_length=MAX_SUBJECT_CHARACTERS), Label] | None = Field(
        None, description="The subject of a mail. It is read where the mail has no text or refers to its subject."
    )
    headers: Annotated[dict[str, HeaderValue], BeforeValidator(_known_headers)] | None = Field(
        None,
        description="Header fields of a mail, by which automated mail is recognized: "
        f"{', '.join(sorted(HEADER_NAMES))}. Other fields are ignored.",
        examples=[{"auto-submitted": "auto-replied"}],
    )
    transcript: Annotated[list[TurnIn], Field(max_length=MAX_TURNS)] | None = Field(
        None,
        description="Earlier turns of the same chat, the oldest first. Without `text`, the customer's turns are read.",
    )

    @model_validator(mode="after")
    def _check_texts(self) -> Self:
        if self.transcript and sum(len(turn.text) for turn in self.transcript) > MAX_FIELD_CHARACTERS:
            raise _violation("transcript", f"should have at most {MAX_FIELD_CHARACTERS} characters in all turns")
        if (self.text and not self.text.isspace()) or self.html or self.transcript or self.subject:
            return self
        if "text" not in self.model_fields_set:
            raise _violation("text", "is missing")
        raise _violation("text", "must hold more than blanks" if self.text else "should have at least 1 character")

    def query(self, *, fresh: bool = False, idempotency_key: str | None = None) -> Query:
        return Query(
            text=self.text,
            customer_id=self.customer_id,
            session_id=self.session_id,
            channel=self.channel,
            customer_tier=self.customer_tier,
            language=self.language,
            waiting_since=self.waiting_since,
            store=self.store,
            fresh=fresh,
            idempotency_key=idempotency_key,
            html=self.html,
            subject=self.subject or "",
            headers=self.headers or {},
            transcript=tuple(Turn(turn.role, turn.text) for turn in self.transcript or ()),
        )


class BatchIn(BaseModel):
    """Several messages. Items are validated separately, so an invalid item does not fail the others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    queries: list[Any] = Field(min_length=1, max_length=MAX_BATCH_ITEMS)


def _check_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("should have printable characters only")
    return value


class FeedbackIn(BaseModel):
    """Feedback on an answer; at least one field is required."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={"minProperties": 1, "examples": [{"intent": "get_refund", "reply": "edited"}]},
    )

    intent: Annotated[str, Field(min_length=1, max_length=100), Label] | None = Field(
        None, description="The correct intent: one of the served model, or out_of_scope."
    )
    sentiment: Literal["negative", "neutral", "positive"] | None = Field(None, description="The correct sentiment.")
    priority: PriorityLevel | None = Field(None, description="The correct priority.")
    reply: Literal["accepted", "edited", "rejected"] | None = Field(None, description="How the reply was used.")
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = Field(None, description="The customer's score, 1 to 5.")

    @model_validator(mode="after")
    def _check_any_field(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("should hold at least one of intent, sentiment, priority, reply and satisfaction")
        return self

    def new_feedback(self, known_intents: Sequence[str]) -> NewFeedback:
        """The feedback to store. Raises `InvalidQuery` if the intent is not in `known_intents`."""
        if self.intent is not None and self.intent not in (*known_intents, OUT_OF_SCOPE):
            problem = "should be an intent of the served model, or out_of_scope"
            raise InvalidQuery(f"intent {problem}.", violations=(("intent", problem),))
        return NewFeedback(**self.model_dump())


class RevokeIn(BaseModel):
    """The tokens of this tenant to revoke; exactly one field is required."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={"minProperties": 1, "maxProperties": 1, "examples": [{"subject": "night-shift"}]},
    )

    token: Annotated[str, Field(min_length=1, max_length=MAX_TOKEN_CHARACTERS)] | None = Field(
        None, description="A valid token."
    )
    jti: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(_check_printable)] | None = Field(
        None, description="The id of a token: its claim `jti`."
    )
    subject: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(_check_printable)] | None = (
        Field(None, description="A subject; all its tokens issued until now are revoked.")
    )

    @model_validator(mode="after")
    def _check_exactly_one_field(self) -> Self:
        if sum(value is not None for value in self.model_dump().values()) != 1:
            raise ValueError("should hold exactly one of token, jti and subject")
        return self


Body = TypeVar("Body", bound=BaseModel)


def parse(model: type[Body], raw: bytes) -> Body:
    """Parse and validate a request body.

    Raises:
        InvalidQuery: with the reason for each invalid field, without its value.
    """
    if len(raw) > MAX_UNCHECKED_BYTES:
        run_steps(check_json_structure(raw))
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise _refusal(error, model, raw) from None


def parse_batch(raw: bytes, *, fresh: bool, max_item_bytes: int) -> CooperativeSteps[list[Query | FrontdeskError]]:
    """Parse a batch: a query or an error for each item, in order. A generator, for `frontdesk.time_slicing`.

    Items are parsed one by one from the bytes of the body, so no step takes longer than one item. A body with another
    form than `{"queries": [...]}` is parsed as a whole to report the violations.

    Args:
        raw: the body.
        fresh: whether the queries bypass caches.
        max_item_bytes: a larger item is refused without parsing.

    Raises:
        InvalidQuery: the body is not a batch; details as for `parse`.
    """
    pieces = yield from check_json_structure(raw)
    items = yield from split_json_list_items(raw, pieces, b"queries")
    del pieces
    if items is None and len(raw) > MAX_OTHER_BYTES:
        raise InvalidQuery('The body should be {"queries": [...]} without other fields.', hint="See /docs.")
    if items is None:
        items = [json.dumps(item).encode() for item in parse(BatchIn, raw).queries]
    parsed: list[Query | FrontdeskError] = []
    for item in items:
        yield
        parsed.append(_parse_raw_item(item, fresh=fresh, max_item_bytes=max_item_bytes))
    return parsed


def parse_item(item: Mapping[str, Any], *, fresh: bool = False) -> Query | FrontdeskError:
    """Validate the fields of one message; returns a query or the error."""
    return _parse_raw_item(json.dumps(item).encode(), fresh=fresh)


def _parse_raw_item(raw: bytes, *, fresh: bool, max_item_bytes: int | None = None) -> Query | FrontdeskError:
    """Parse one item; returns a query or the error. Raises `InvalidQuery` for invalid JSON."""
    if max_item_bytes is not None and len(raw) > max_item_bytes:
        return TooLarge(f"The item has more than {max_item_bytes} bytes.", hint="Send less text.")
    try:
        return QueryIn.model_validate_json(raw).query(fresh=fresh)
    except ValidationError as error:
        refusal = _refusal(error, QueryIn, raw)
    if not refusal.violations:
        raise refusal
    return refusal


def _refusal(error: ValidationError, model: type[BaseModel], raw: bytes) -> InvalidQuery:
    """Convert the error of a body; without violations if the body is not JSON."""
    if _is_json_error(error) and (undecodable := find_undecodable_strings(raw)) is not None:
        names = _field_names(model)
        violations = [(_text_field_name(place, names), problem) for place, problem in undecodable.violations]
        try:
            model.model_validate_json(undecodable.repaired)
        except ValidationError as other:
            fields = {field for field, _ in violations}
            others = _violations(_details(_keep_one_unknown_field(other, model, undecodable.repaired)))
            violations += [violation for violation in others if violation[0] not in fields]
        return _invalid_fields(violations)
    return invalid_query(_details(_keep_one_unknown_field(error, model, raw)))


def _is_json_error(error: ValidationError) -> bool:
    return error.error_count() == 1 and _details(error)[0]["type"] == "json_invalid"


@cache
def _field_names(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields of a model and of the models in it. Other names in a body are input of the caller."""
    schema = model.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for fields in models for name in fields.get("properties", {}))


def _text_field_name(place: Location, names: Set[str]) -> str:
    """The field of a string: its place up to the first name that is input of the caller."""
    parts = takewhile(lambda part: isinstance(part, int) or part in names, place)
    return ".".join(str(part) for part in parts) or "the body"


def _keep_one_unknown_field(error: ValidationError, model: type[BaseModel], raw: bytes) -> ValidationError:
    """The error of the body with at most one unknown field, because pydantic reports a violation for each."""
    if error.error_count() <= MAX_VIOLATIONS:
        return error
    fields = from_json(raw)
    if not isinstance(fields, dict):
        return error
    unknown = [name for name in fields if name not in model.model_fields]
    for name in unknown[1:]:
        del fields[name]
    try:
        model.model_validate_json(json.dumps(fields))
    except ValidationError as shortened:
        return shortened
    return error


def _details(error: ValidationError) -> Sequence[Mapping[str, Any]]:
    return error.errors(include_url=False, include_input=False)


def invalid_query(details: Sequence[Mapping[str, Any]], input_name: str = "the body") -> InvalidQuery:
    """Convert pydantic's errors to one error with a violation per field; `input_name` names the input as a whole."""
    if details[0]["type"] == "json_invalid":
        return not_json()
    return _invalid_fields(_violations(details, input_name))


def _violations(details: Sequence[Mapping[str, Any]], input_name: str = "the body") -> list[tuple[str, str]]:
    return [(_field_name(detail["loc"], detail["type"], input_name), violation_message(detail)) for detail in details]


def _invalid_fields(fields: Iterable[tuple[str, str]]) -> InvalidQuery:
    violations = tuple(dict.fromkeys(fields))
    first = f"{violations[0][0]} {violations[0][1]}"
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return InvalidQuery(f"{first}{more}.", violations=violations, hint="See /docs for the fields.")


def _field_name(location: tuple[int | str, ...], kind: str, input_name: str) -> str:
    """The name of a field. The name of an unknown field is input of the caller, so its parent is named instead."""
    if kind == "extra_forbidden":
        return input_name if len(location) == 1 else ".".join(str(part) for part in location[:-1])
    return ".".join(str(part) for part in location) or input_name


_MESSAGES: Mapping[str, str] = {
    "bool_type": "should be true or false",
    "datetime_from_date_parsing": "should be an ISO 8601 time such as 2026-01-31T09:30:00Z",
    "datetime_object_invalid": "should be an ISO 8601 time such as 2026-01-31T09:30:00Z",
    "datetime_parsing": "should be an ISO 8601 time such as 2026-01-31T09:30:00Z",
    "datetime_type": "should be an ISO 8601 time such as 2026-01-31T09:30:00Z",
    "dict_type": "should be an object",
    "enum": "should be {expected}",
    "extra_forbidden": "has a field that is not known",
    "greater_than_equal": "should be at least {ge}",
    "int_from_float": "should be a whole number",
    "int_parsing_size": "should be a smaller number",
    "int_type": "should be a whole number",
    "less_than_equal": "should be at most {le}",
    "list_type": "should be a list",
    "literal_error": "should be {expected}",
    "missing": "is missing",
    "model_attributes_type": "should be an object",
    "model_type": "should be an object",
    "string_pattern_mismatch": "should match the pattern {pattern}",
    "string_too_long": "should have at most {max_length} characters",
    "string_too_short": "should have at least {min_length} characters",
    "string_type": "should be a valid string",
    "string_unicode": "should be a valid string",
    "timezone_aware": "should have a time zone, such as Z or +01:00",
    "too_long": "should have at most {max_length} items",
    "too_short": "should have at least {min_length} items",
}
"""Messages for pydantic's error types. They never contain input."""


def violation_message(error: Mapping[str, Any]) -> str:
    """The message for one entry of `ValidationError.errors()`, without the field name: "should be a list"."""
    kind, limits = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(limits["error"])
    template = _MESSAGES.get(kind)
    if template is None:
        return "is not valid"
    message = template.format_map(limits)
    return message.removesuffix("s") if message.endswith(("at least 1 characters", "at least 1 items")) else message
