from __future__ import annotations

import json

import pytest

from bentos.schemas.queries import QueryIn, parse, parse_batch
from frontdesk.errors import MAX_VIOLATIONS, FrontdeskError, InvalidQuery
from frontdesk.time_slicing import run_steps
from frontdesk.types import Channel, CustomerTier, Query


def read_batch(raw: bytes) -> list[Query | FrontdeskError]:
    return run_steps(parse_batch(raw, fresh=False, max_item_bytes=65_536))


def body(**fields: object) -> bytes:
    return json.dumps({"text": "hello", **fields}).encode()


def test_a_full_query_arrives_typed() -> None:
    query = parse(
        QueryIn,
        body(customer_id="c", session_id="s", channel="email", customer_tier="premium", language="pt-BR",
             waiting_since="2026-01-02T03:04:05Z", store=False),
    ).query()  # fmt: skip
    assert isinstance(query, Query)
    assert (query.channel, query.customer_tier, query.store) == (Channel.EMAIL, CustomerTier.PREMIUM, False)
    assert query.waiting_since is not None
    assert query.waiting_since.isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (body(text=""), "text"),
        (body(text=" \n\t"), "text"),
        (body(text="x" * 65_537), "text"),
        (body(text="a\x00b"), "text"),
        (body(text=3), "text"),
        (body(text=None), "text"),
        (b"{}", "text"),
        (b'{"text": NaN}', "text"),
        (b'{"text": -Infinity}', "text"),
        (body(customer_id="x" * 51), "customer_id"),
        (body(customer_id=""), "customer_id"),
        (body(customer_id="a\x00"), "customer_id"),
        (body(session_id="x" * 101), "session_id"),
        (body(channel="fax"), "channel"),
        (body(customer_tier="gold"), "customer_tier"),
        (body(language="english please"), "language"),
        (body(waiting_since="yesterday"), "waiting_since"),
        (body(store="yes"), "store"),
        (body(marker_unknown=1), "the body"),
        (b"[]", "the body"),
        (b'"text"', "the body"),
        (b"null", "the body"),
    ],
)
def test_what_breaks_a_rule_is_named_by_field_and_not_repeated(raw: bytes, field: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        parse(QueryIn, raw)
    assert [where for where, _ in refused.value.violations] == [field]
    assert "marker" not in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"{'text': 1}", b'{"text": "\xff"', b'{"text": "\\ud800"', b'{"text": "\\ud800", "store": NaN}',
     b'{"text": "a"} x', "{\"text\": \"a\"}".encode("utf-16"), b"[" * 10_000],
)  # fmt: skip
def test_what_is_no_json_is_told_so(raw: bytes) -> None:
    with pytest.raises(InvalidQuery, match="not valid JSON"):
        parse(QueryIn, raw)


def test_65536_characters_of_any_script_fit() -> None:
    assert len(parse(QueryIn, body(text="😡" * 65_536)).text) == 65_536


def test_a_bad_item_of_a_batch_leaves_the_others_alone() -> None:
    first, second, third, fourth = read_batch(
        json.dumps({"queries": [{"text": "a"}, {"text": ""}, 7, {"text": "b"}]}).encode()
    )
    assert isinstance(first, Query)
    assert isinstance(second, InvalidQuery)
    assert isinstance(third, InvalidQuery)
    assert isinstance(fourth, Query)


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_has_1_to_256_items(count: int) -> None:
    with pytest.raises(InvalidQuery):
        read_batch(json.dumps({"queries": [{"text": "a"}] * count}).encode())


EXTREME = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:01"]


@pytest.mark.parametrize("moment", EXTREME)
def test_a_moment_outside_of_the_years_in_utc_is_refused_by_its_field(moment: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        parse(QueryIn, body(waiting_since=moment))
    assert refused.value.violations == (("waiting_since", "should be a time between the years 1 and 9999 in UTC"),)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "2026-01-02T03:04:05"])
def test_the_first_and_the_last_moment_and_one_without_a_zone_are_taken(moment: str) -> None:
    assert parse(QueryIn, body(waiting_since=moment)).query().waiting_since is not None


def test_unknown_fields_are_one_violation_however_many_there_are() -> None:
    many = {f"unknown{number}": 1 for number in range(4000)}
    with pytest.raises(InvalidQuery) as refused:
        parse(QueryIn, body(channel="fax", **many))
    assert set(refused.value.violations) == {
        ("channel", "should be 'chat', 'email', 'phone', 'social', 'web' or 'api'"),
        ("the body", "has a field that is not known"),
    }


def test_a_problem_has_twenty_violations_at_most() -> None:
    error = InvalidQuery("x", violations=tuple((f"field{number}", "is wrong") for number in range(1000)))
    assert len(error.violations) == MAX_VIOLATIONS == 20


def test_no_words_of_the_validator_reach_a_caller() -> None:
    wrong: dict[str, object] = {
        "text": 1, "customer_id": "", "session_id": "x" * 101, "channel": "fax", "customer_tier": 7, "language": "?",
        "waiting_since": "2026-13-01T00:00:00Z", "store": "yes",
    }  # fmt: skip
    with pytest.raises(InvalidQuery) as refused:
        parse(QueryIn, body(**wrong))
    assert dict(refused.value.violations) == {
        "text": "should be a valid string",
        "customer_id": "should have at least 1 character",
        "session_id": "should have at most 100 characters",
        "channel": "should be 'chat', 'email', 'phone', 'social', 'web' or 'api'",
        "customer_tier": "should be 'free', 'standard', 'premium' or 'enterprise'",
        "language": "should be a language tag such as en or pt-BR",
        "waiting_since": "should be an ISO 8601 time such as 2026-01-31T09:30:00Z",
        "store": "should be true or false",
    }
