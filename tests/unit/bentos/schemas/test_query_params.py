from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from bentos.schemas.query_params import (
    CHECK_QUERY_STRING,
    QueryListParameters,
    customer_id_from_path,
    decode_cursor,
    encode_cursor,
    invalid_parameters,
)
from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.pagination import PagePosition

MARK = "zqxmark"
APPLICATION = FastAPI()


def request(query: str = "", path: str = "/v1/queries") -> Request:
    return Request({"type": "http", "query_string": query.encode("latin-1"), "raw_path": path.encode("latin-1"),
                    "path": path, "headers": [], "method": "GET", "root_path": "", "state": {}})  # fmt: skip


@APPLICATION.get("/v1/queries", dependencies=CHECK_QUERY_STRING)
async def listed(parameters: Annotated[QueryListParameters, Query()], request: Request) -> None:
    request.state.outcome = parameters


@APPLICATION.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> Response:
    request.state.outcome = invalid_parameters(error)
    return Response()


@APPLICATION.exception_handler(InvalidQuery)
async def refused(request: Request, error: InvalidQuery) -> Response:
    request.state.outcome = error
    return Response()


def parameters(query: str) -> QueryListParameters:
    """The parameters that a route gets for a query string; raises the refusal."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        pass

    http_request = request(query)
    asyncio.run(APPLICATION(http_request.scope, receive, send))
    outcome = http_request.state.outcome
    if isinstance(outcome, InvalidQuery):
        raise outcome
    return outcome


def test_every_parameter_arrives() -> None:
    result = parameters(
        "customer_id=a%2Bb%40c&intent=get_refund&sentiment=negative&priority=urgent&decision=escalate"
        "&model_version=v1&from=2026-06-01T00:00:00%2B02:00&to=2026-06-02T00:00:00Z&limit=7"
    )
    filters = result.filters()
    assert (filters.customer_id, filters.intent, filters.sentiment) == ("a+b@c", "get_refund", "negative")
    assert (filters.priority, filters.decision, filters.model_version) == ("urgent", "escalate", "v1")
    assert filters.start == datetime(2026, 5, 31, 22, tzinfo=UTC)
    assert (result.limit, result.cursor) == (7, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"limit={MARK}", "limit"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%201", "limit"),
        (f"cursor={MARK}", "cursor"),
        ("cursor=", "cursor"),
        (f"sentiment={MARK}", "sentiment"),
        (f"priority={MARK}", "priority"),
        (f"decision={MARK}", "decision"),
        (f"from={MARK}", "from"),
        ("from=2026-06-01T00:00:00", "from"),
        ("from=1780000000", "from"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"),
        ("from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z", "the query string"),
        (f"{MARK}=1", "the query string"),
        (f"customer_id={MARK * 8}", "customer_id"),
        ("customer_id=", "customer_id"),
        ("intent=a%00b", "intent"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(query: str, field: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        parameters(query)
    assert [where for where, _ in refused.value.violations] == [field]
    assert MARK not in str(refused.value)


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "intent=%FF", "intent=\xff", "&".join(f"x{n}=1" for n in range(21))]
)
def test_a_query_string_that_can_be_read_in_two_ways_or_not_at_all_is_refused(query: str) -> None:
    with pytest.raises(InvalidQuery):
        parameters(query)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)), st.uuids())
def test_a_cursor_is_read_back_as_the_position_it_was_made_of(moment: datetime, row: object) -> None:
    position = PagePosition(moment, str(row))
    cursor = encode_cursor(position)
    assert decode_cursor(parameters(f"cursor={cursor}").cursor) == position


@given(st.text(max_size=40))
def test_no_text_as_a_cursor_is_more_than_refused(text: str) -> None:
    try:
        result = parameters(f"cursor={quote(text)}")
    except InvalidQuery:
        return
    assert decode_cursor(result.cursor) is not None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=50))
def test_a_customer_of_any_name_is_found_in_the_path(customer: str) -> None:
    for path in (f"/v1/customers/{quote(customer, safe='')}/history", f"/v1/customers/{quote(customer, safe='')}"):
        assert customer_id_from_path(request(path=path)) == customer


@pytest.mark.parametrize("segment", ["%FF", "%00", "a" * 51, "%ED%A0%80"])
def test_what_can_be_no_customer_is_refused(segment: str) -> None:
    with pytest.raises(InvalidQuery):
        customer_id_from_path(request(path=f"/v1/customers/{segment}"))


def test_several_wrong_parameters_are_all_named() -> None:
    with pytest.raises(InvalidQuery) as refused:
        parameters(f"limit=0&sentiment={MARK}&{MARK}=1&{MARK}2=1")
    assert refused.value.violations == (
        ("sentiment", "should be 'negative', 'neutral' or 'positive'"),
        ("limit", "should be at least 1"),
        ("the query string", "has a field that is not known"),
    )


def test_a_repeated_unknown_parameter_is_refused_without_its_name() -> None:
    with pytest.raises(InvalidQuery) as refused:
        parameters(f"{MARK}=1&{MARK}=2")
    assert str(refused.value).startswith("A parameter is repeated.")
    assert MARK not in str(refused.value)
