"""The JSON that callers send, checked before anything else sees it, and how violations are told.

Bodies are parsed by pydantic's own JSON reader: it refuses NaN, lone surrogates, bytes that are not UTF-8 and deep
nesting by itself. Messages of violations are ours or pydantic's; they never repeat what was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    model_validator,
)

from frontdesk.errors import FrontdeskError, InvalidQuery
from frontdesk.security.revocations import LONGEST_ID
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS
from frontdesk.storage.sql.feedback import Opinion
from frontdesk.taxonomy import OUT_OF_SCOPE
from frontdesk.types import Channel, CustomerTier, PriorityLevel, Query

LONGEST_TEXT = 4000
LARGEST_BATCH = 256

_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]")


def _readable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold NUL characters")
    if not text.strip():
        raise ValueError("must hold more than blanks")
    return text


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold NUL characters")
    return value


def written_time(value: object) -> object:
    """Pydantic also reads numbers, and digits in a string, as seconds since 1970, which nobody means."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("should be an ISO 8601 time such as 2026-01-31T09:30:00Z")
    return value


Label = AfterValidator(_without_nul)


class QueryIn(BaseModel):
    """One customer message."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_readable)] = Field(
        description="The customer's words.", examples=["Where is my parcel? Order #48213 should have come on Monday."]
    )
    customer_id: Annotated[str, Field(min_length=1, max_length=50), Label] | None = None
    session_id: Annotated[str, Field(min_length=1, max_length=100), Label] | None = None
    channel: Channel = Channel.API
    customer_tier: CustomerTier = CustomerTier.STANDARD
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None = Field(
        None, description="A language tag such as `en` or `pt-BR`."
    )
    waiting_since: Annotated[datetime, Strict(False), BeforeValidator(written_time)] | None = Field(
        None, description="Since when the customer has been waiting."
    )
    store: bool = Field(True, description="Keep the (masked) message and the result.")

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
        )


class BatchIn(BaseModel):
    """Several messages; each is checked by itself, so that one bad item does not refuse the others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    queries: list[Any] = Field(min_length=1, max_length=LARGEST_BATCH)


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("should have printable characters only")
    return value


class FeedbackIn(BaseModel):
    """What somebody says about an answer; at least one field."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra={"minProperties": 1})

    intent: Annotated[str, Field(min_length=1, max_length=100), Label] | None = Field(
        None, description="The right intent: one of the served model's, or out_of_scope."
    )
    sentiment: Literal["negative", "neutral", "positive"] | None = Field(None, description="The right sentiment.")
    priority: PriorityLevel | None = Field(None, description="The right priority.")
    reply: Literal["accepted", "edited", "rejected"] | None = Field(None, description="What became of the reply.")
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = Field(None, description="The customer's, from 1 to 5.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("should hold at least one of intent, sentiment, priority, reply and satisfaction")
        return self

    def opinion(self, known_intents: Sequence[str]) -> Opinion:
        """Raises `InvalidQuery` for an intent that is not among those known."""
        if self.intent is not None and self.intent not in (*known_intents, OUT_OF_SCOPE):
            wrong = "should be an intent of the served model, or out_of_scope"
            raise InvalidQuery(f"intent {wrong}.", violations=(("intent", wrong),))
        return Opinion(**self.model_dump())


class RevokeIn(BaseModel):
    """Which tokens of this tenant to revoke; exactly one field."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    token: Annotated[str, Field(min_length=1, max_length=MAX_TOKEN_CHARACTERS)] | None = Field(
        None, description="A token that is good now."
    )
    jti: Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_printable)] | None = Field(
        None, description="The id of a token, its claim `jti`."
    )
    subject: Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_printable)] | None = Field(
        None, description="A subject: every token of it that was issued until now."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(value is not None for value in self.model_dump().values()) != 1:
            raise ValueError("should hold exactly one of token, jti and subject")
        return self


Body = TypeVar("Body", bound=BaseModel)


def parse(model: type[Body], raw: bytes) -> Body:
    """Read a request body.

    Raises:
        InvalidQuery: naming each field that is wrong and why, never what it held.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise violated(error) from None


def parse_items(items: list[Any], *, fresh: bool = False) -> list[Query | FrontdeskError]:
    """Each item of a batch as a query, or what is wrong with it, in order."""
    return [_item(item, fresh=fresh) for item in items]


def _item(item: Any, *, fresh: bool) -> Query | FrontdeskError:
    try:
        return QueryIn.model_validate_json(json.dumps(item)).query(fresh=fresh)
    except ValidationError as error:
        return violated(error)


def violated(error: ValidationError, whole: str = "the body") -> InvalidQuery:
    """What is wrong, by field; `whole` is what is named where no field of it is to blame."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return InvalidQuery(
            "The body is not valid JSON.", hint='Send UTF-8 JSON such as {"text": "Where is my parcel?"}.'
        )
    violations = tuple((_where(item["loc"], item["type"], whole), _what(item["type"], item["msg"])) for item in found)
    first = f"{violations[0][0]} {violations[0][1]}"
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return InvalidQuery(f"{first}{more}.", violations=violations, hint="See /docs for the fields.")


def _where(location: tuple[int | str, ...], kind: str, whole: str) -> str:
    """The field, as far as we know its name: an unknown field's name is the caller's text and is not repeated."""
    if kind == "extra_forbidden":
        return whole if len(location) == 1 else ".".join(str(part) for part in location[:-1])
    return ".".join(str(part) for part in location) or whole


def _what(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "has a field that is not known"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ").replace("Input should", "should").replace("String should", "should")
