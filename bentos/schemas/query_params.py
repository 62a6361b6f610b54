"""Query parameters and identifiers in paths, as models for FastAPI's `Query()`.

Unknown and repeated parameters are refused, because a misspelt filter would silently widen the result. Error messages
never contain input.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, unquote

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic.functional_validators import AfterValidator
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

from bentos.schemas.queries import Label, check_iso_time, invalid_query, to_utc
from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.pagination import PagePosition, QueryFilters
from frontdesk.types import Action, PriorityLevel

MAX_PAGE_ITEMS = 200
MAX_CUSTOMER_ID_CHARACTERS = 50
MAX_SESSION_ID_CHARACTERS = 100
DEFAULT_SPAN = timedelta(days=30)
MAX_PARAMETERS = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})\.([0-9A-Za-z-]{1,64})")


def encode_cursor(position: PagePosition) -> str:
    """Encode a position as a cursor. It is not signed, because it only selects among the caller's own rows."""
    microseconds = (position.created_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}.{position.id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> PagePosition | None:
    """The position that a cursor encodes. Raises ValueError if the cursor is malformed."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("should be a cursor of an earlier page") from None
    parts = _CURSOR.fullmatch(decoded)
    if parts is None:
        raise ValueError("should be a cursor of an earlier page")
    return PagePosition(_EPOCH + timedelta(microseconds=int(parts[1])), parts[2])


def _check_cursor(cursor: str) -> str:
    decode_cursor(cursor)
    return cursor


def _parse_whole_number(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{1,9}", value) is None:
        raise ValueError("should be a whole number")
    return int(value)


Text100 = Annotated[str, Field(min_length=1, max_length=100), Label]
Moment = Annotated[AwareDatetime, BeforeValidator(check_iso_time), AfterValidator(to_utc)]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE_ITEMS), BeforeValidator(_parse_whole_number)]
Cursor = Annotated[str, AfterValidator(_check_cursor), WithJsonSchema({"type": "string", "minLength": 1})]


class StrictQueryParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeRangeParameters(StrictQueryParameters):
    """A time range from `start` to before `end`; both are optional."""

    start: Moment | None = Field(
        None, alias="from", description="Start of the range, with time zone.", examples=["2026-01-01T00:00:00Z"]
    )
    end: Moment | None = Field(
        None, alias="to", description="End of the range (exclusive), with time zone.", examples=["2026-02-01T00:00:00Z"]
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("should have a `from` before its `to`")
        return self


class QueryFilterParameters(TimeRangeParameters):
    """Filters of queries; all of them must match."""

    customer_id: Annotated[str, Field(min_length=1, max_length=MAX_CUSTOMER_ID_CHARACTERS), Label] | None = Field(
        None, examples=["c-4711"]
    )
    intent: Text100 | None = Field(None, examples=["track_order"])
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    priority: PriorityLevel | None = None
    decision: Action | None = None
    model_version: Text100 | None = None

    def filters(self) -> QueryFilters:
        return QueryFilters(
            customer_id=self.customer_id,
            intent=self.intent,
            sentiment=self.sentiment,
            priority=self.priority,
            decision=self.decision,
            model_version=self.model_version,
            start=self.start,
            end=self.end,
        )


class QueryListParameters(QueryFilterParameters):
    limit: Limit = Field(50, description="Maximum number of items on a page.")
    cursor: Cursor | None = Field(None, description="`next_cursor` of the previous page.")


class ExportParameters(QueryFilterParameters):
    format: Literal["csv", "jsonl"] = "jsonl"
    bom: bool = Field(True, description="Begin CSV with a byte order mark (UTF-8), which Excel needs.")


class InteractionListParameters(StrictQueryParameters):
    limit: Limit = Field(50, description="Maximum number of items on a page.")
    cursor: Cursor | None = Field(None, description="`next_cursor` of the previous page.")


class TimeseriesParameters(TimeRangeParameters):
    bucket: Literal["hour", "day", "week"] = Field("day", description="Bucket size in UTC; weeks begin on Monday.")


async def check_query_string(request: Request) -> None:
    """Dependency that refuses an ambiguous or malformed query string.

    FastAPI would use the last value of a repeated parameter, and replacement characters for invalid UTF-8.

    Raises:
        InvalidQuery: a parameter is repeated, there are more than `MAX_PARAMETERS`, or they are not UTF-8.
    """
    raw: bytes = request.scope["query_string"]
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError:  # includes UnicodeDecodeError
        raise InvalidQuery("The query string cannot be read.", hint="Send at most 20 parameters, in UTF-8.") from None
    if len(dict(pairs)) < len(pairs):
        raise InvalidQuery("A parameter is repeated.", hint="Send it once.")


CHECK_QUERY_STRING = [Depends(check_query_string)]
"""`dependencies` of every route with query parameters."""


def invalid_parameters(error: RequestValidationError) -> InvalidQuery:
    """Convert FastAPI's validation error of query parameters; names each parameter without its value."""
    details = [{**detail, "loc": detail["loc"][1:]} for detail in error.errors()]  # without "query"
    return invalid_query(details, input_name="the query string")


class AnyTextConvertor(Convertor[str]):
    """Path convertor `{name:any_text}`, which matches any text. `{name:path}` does not match line breaks."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", AnyTextConvertor())


def customer_id_from_path(request: Request) -> str:
    """Customer id of /v1/customers/{customer_id}..., decoded from the raw path because it may contain any character.

    Raises:
        InvalidQuery: the id is not UTF-8, contains NUL, or is too long.
    """
    return _id_from_path(request, "customer", MAX_CUSTOMER_ID_CHARACTERS)


def session_id_from_path(request: Request) -> str:
    """Session id of /v1/sessions/{session_id}; errors as for `customer_id_from_path`."""
    return _id_from_path(request, "session", MAX_SESSION_ID_CHARACTERS)


def _id_from_path(request: Request, kind: str, max_characters: int) -> str:
    raw: bytes = request.scope["raw_path"]
    try:
        identifier = unquote(raw.decode("ascii").split("/")[3], errors="strict")
    except UnicodeDecodeError:
        raise InvalidQuery(f"The {kind}'s id is not UTF-8.", hint="Escape it as %XX of its bytes.") from None
    if "\x00" in identifier or len(identifier) > max_characters:
        raise InvalidQuery(f"A {kind}'s id has at most {max_characters} characters, none of them NUL.")
    return identifier


CUSTOMER: dict[str, Any] = {
    "name": "customer_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_CUSTOMER_ID_CHARACTERS},
    "description": "Percent-encoded if it contains characters that are not allowed in a path.",
}


SESSION: dict[str, Any] = {
    **CUSTOMER,
    "name": "session_id",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_SESSION_ID_CHARACTERS},
}
