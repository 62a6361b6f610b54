"""Batches are split by bytes: the result must always agree with a parser of the whole body."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from bentos.schemas.json_bounds import check_json_structure, extract_long_strings, split_json_list_items
from bentos.schemas.queries import parse_batch
from frontdesk.errors import FrontdeskError, InvalidQuery, TooLarge
from frontdesk.time_slicing import run_steps
from frontdesk.types import Query
from tests.support.machine_speed import slowness

BLANKS = st.sampled_from(["", " ", "\n\t", "\r\n "])
TEXTS = st.text(st.sampled_from('ab"\\{}[],: \n漢'), max_size=20) | st.text(max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=8,
)
STEP_S = 0.08
"""At most 0.05 with Python 3.11.7; Debian's 3.11.2 takes 0.055."""
HUGE = 8_000_000


def split(raw: bytes) -> list[bytes] | None:
    return run_steps(split_json_list_items(raw, run_steps(check_json_structure(raw)), b"queries"))


def read(raw: bytes) -> list[Query | FrontdeskError]:
    return run_steps(parse_batch(raw, fresh=False, max_item_bytes=65_536))


@given(st.lists(VALUES, min_size=1, max_size=5), st.booleans(), BLANKS, BLANKS)
def test_items_are_those_that_a_parser_finds(items: list[object], ascii_only: bool, left: str, right: str) -> None:
    joined = f",{left}".join(json.dumps(item, ensure_ascii=ascii_only) + right for item in items)
    body = f'{left}{{{right}"queries"{left}:{right}[{left}{joined}{right}]{left}}}{right}'
    raw = body.encode("utf-8", "surrogatepass")
    parts = split(raw)
    assert parts is not None
    assert [json.loads(part) for part in parts] == items


@given(st.text(st.sampled_from('{}[]",:\\ "ab1'), max_size=30))
def test_a_split_batch_is_json_exactly_if_its_items_are(inside: str) -> None:
    raw = b'{"queries":[' + inside.encode() + b"]}"
    try:
        parts = split(raw)
    except InvalidQuery:
        parts = None
    try:
        whole = from_json(raw)["queries"]
    except (ValueError, KeyError):
        whole = None
    if parts is None:
        assert whole is None or len(whole) == 0 or b"queries" in inside.encode()
        return
    try:
        items = [from_json(part) for part in parts]
    except ValueError:
        items = None
    assert items == whole


@pytest.mark.parametrize(
    "raw",
    [
        b'{"queries":[' + b"{}," * (HUGE // 3) + b"{}]}",
        b'{"queries":[{"text":"hi"' + b',"a":1' * (HUGE // 6) + b"}]}",
        b'{"queries":' + b"[" * HUGE,
        b'{"queries":["' + b'\\"' * (HUGE // 2) + b'"]}',
        b'{"queries":["' + b"\\" * HUGE + b'"]}',
        b'{"queries":["' + b'\\"' * (HUGE // 2),
        b'{"queries":[' + b'"",' * (HUGE // 3) + b'""]}',
        b'{"queries":[{"text":"a"}' + b" " * HUGE + b"]}",
        b'{"queries":[{"text":"a"}' + b"]" * HUGE,
        b'{"queries":[' + b"9" * HUGE + b"]}",
        b'{"queries":["' + b"\\u0041" * (HUGE // 6) + b'"]}',
    ],
    ids=[
        "items",
        "fields",
        "lists",
        "quotes",
        "backslashes",
        "no end",
        "strings",
        "blanks",
        "ends",
        "digits",
        "escapes",
    ],
)
def test_no_step_of_parsing_takes_long(raw: bytes) -> None:
    """The total time is limited too: parsing the whole body took 0.5 to 4 s for the first two."""
    longest = 0.0
    started = before = time.process_time()
    with contextlib.suppress(InvalidQuery):
        for _ in parse_batch(raw, fresh=False, max_item_bytes=65_536):
            longest, before = max(longest, time.process_time() - before), time.process_time()
    assert max(longest, time.process_time() - before) < STEP_S * slowness()
    assert time.process_time() - started < 0.25


def test_an_invalid_item_fails_alone_with_few_violations() -> None:
    many = b'{"text":"hi",' + b",".join(b'"%d":1' % number for number in range(3000)) + b"}"
    large = b'{"text":"' + b"x" * 70_000 + b'"}'
    good, unknown, too_large, text = read(b'{"queries":[{"text":"hi"},' + many + b"," + large + b',"hi"]}')
    assert isinstance(good, Query)
    assert isinstance(unknown, InvalidQuery)
    assert unknown.violations == (("the body", "has a field that is not known"),)
    assert isinstance(too_large, TooLarge)
    assert isinstance(text, InvalidQuery)
    assert text.violations == (("the body", "should be an object"),)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"queries":[]}', "queries should have at least 1 item."),
        (b'{"queries":[' + b"1," * 256 + b"1]}", "queries should have at most 256 items."),
        (b'{"queries":[' + b"1," * 3000 + b"1]}", "queries should have at most 256 items."),
        (b'{"queries":7}', "queries should be a list."),
        (b"{}", "queries is missing."),
        (b"[]", "the body should be an object."),
        (b'{"queries":[{"text":"a"}],"more":1}', "the body has a field that is not known."),
        (b'{"queries":[{"text":"a"},]}', "not valid JSON"),
        (b'{"queries":[{"text":"a"]}', "not valid JSON"),
        (b'{"queries":[{"text":"a"}]}}', "not valid JSON"),
        (b'{"queries":[{"text":"a"}]', "not valid JSON"),
        (b'{"queries":[{"text":"a"} {"text":"b"}]}', "not valid JSON"),
    ],
)
def test_the_error_of_a_body_that_is_not_a_batch_has_our_own_message(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        read(raw)
    assert message in str(refused.value)


def test_an_escaped_or_repeated_name_is_the_same_batch() -> None:
    for raw in (b'{"quer\\u0069es":[{"text":"a"}]}', b'{"queries":[7],"queries":[{"text":"a"}]}'):
        assert [type(item) for item in read(raw)] == [Query]


@given(st.lists(TEXTS | st.text(min_size=1001, max_size=1100), min_size=1, max_size=4))
def test_long_strings_are_restored_exactly(texts: list[str]) -> None:
    raw = json.dumps({"data": texts}).encode()
    shortened, strings = run_steps(extract_long_strings(raw, run_steps(check_json_structure(raw)), "marker-"))
    assert len(shortened) < 20_000
    restored = [from_json(strings[item]) if item in strings else item for item in json.loads(shortened)["data"]]
    assert restored == json.loads(raw)["data"]
