from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.schemas.json_text import HALF_PAIR, NOT_UTF8, find_undecodable_strings, strip_byte_order_mark
from bentos.schemas.queries import QueryIn, parse, parse_batch
from frontdesk.errors import FrontdeskError, InvalidQuery
from frontdesk.time_slicing import run_steps
from frontdesk.types import Query

GOOD = b'{"text": "where is it"}'


def violations(raw: bytes) -> dict[str, str]:
    with pytest.raises(InvalidQuery) as refused:
        parse(QueryIn, raw)
    return dict(refused.value.violations)


def read_batch(raw: bytes) -> list[Query | FrontdeskError]:
    return run_steps(parse_batch(raw, fresh=False, max_item_bytes=262_144))


def test_a_byte_order_mark_of_utf8_is_removed_once() -> None:
    assert strip_byte_order_mark(b"\xef\xbb\xbf" + GOOD) == GOOD
    assert strip_byte_order_mark(GOOD) == GOOD
    assert strip_byte_order_mark(b"") == b""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ['{"text": "a"}', '[{"text": "a"}]', ' {"text": "ä"}'])
def test_other_unicode_encodings_are_named(encoding: str, text: str) -> None:
    name = encoding[:6].upper()
    with pytest.raises(InvalidQuery, match=rf"in {name}; JSON is in UTF-8"):
        strip_byte_order_mark(text.encode(encoding))


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (rb'{"text": "nice \ud83d"}', {"text": HALF_PAIR}),
        (rb'{"text": "\ude00 nice"}', {"text": HALF_PAIR}),
        (rb'{"text": "\ude00\ud83d"}', {"text": HALF_PAIR}),
        (b'{"text": "nice \xed\xa0\xbd"}', {"text": HALF_PAIR}),
        (b'{"text": "caf\xe9"}', {"text": NOT_UTF8}),
        (b'{"text": "cut \xf0\x9f\x98"}', {"text": NOT_UTF8}),
        (rb'{"text": "a", "customer_id": "c\udc00", "session_id": "\ud800"}',
         {"customer_id": HALF_PAIR, "session_id": HALF_PAIR}),
        (rb'{"text": "a", "channel": "\ud83d"}', {"channel": HALF_PAIR}),
        (rb'{"text": "a\ud83d", "language": "", "store": 1}',
         {"text": HALF_PAIR, "language": "should be a language tag such as en or pt-BR",
          "store": "should be true or false"}),
        (rb'{"text": "a", "secret\ud83d": 1}', {"the body": HALF_PAIR}),
        (rb'{"text": "a", "secret": {"more": ["\ud83d"]}}', {"the body": HALF_PAIR}),
    ],
)  # fmt: skip
def test_a_string_that_is_not_text_is_a_violation_of_its_field(raw: bytes, fields: dict[str, str]) -> None:
    found = violations(raw)
    assert {**found, **fields} == found
    assert not any("secret" in part for violation in found.items() for part in violation)


@pytest.mark.parametrize("raw", [rb'{"text": "\ud83d\ude00"}', '{"text": "😀"}'.encode(), rb'{"text": "\\ud83d"}'])
def test_whole_pairs_and_escaped_backslashes_are_text(raw: bytes) -> None:
    assert parse(QueryIn, raw).text == json.loads(raw)["text"]


@pytest.mark.parametrize("bad", [rb'"\ud83d"', b'"\xed\xb8\x80"', b'"\xff"'])
@pytest.mark.parametrize("field", [b"text", b"customer_id", b"session_id"])
def test_one_such_item_of_a_batch_leaves_the_others_alone(bad: bytes, field: bytes) -> None:
    item = b'{"text": "x", ' * (field != b"text") + b"{" * (field == b"text") + b'"' + field + b'": ' + bad + b"}"
    first, second, third = read_batch(b'{"queries": [' + b", ".join((GOOD, item, GOOD)) + b"]}")
    assert isinstance(first, Query)
    assert isinstance(third, Query)
    assert isinstance(second, InvalidQuery)
    assert [name for name, _ in second.violations] == [field.decode()]


def test_a_batch_with_an_item_that_is_not_json_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="not valid JSON"):
        read_batch(rb'{"queries": [{"text": "a"}, {"text": "\ud83d" oops}]}')


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a": NaN}', b'{"a": "\n"}', b'{"a": "b"}', b"[" * 100_000, b"1" * 5000])
def test_documents_that_are_wrong_or_right_in_another_way_have_no_undecodable_strings(raw: bytes) -> None:
    assert find_undecodable_strings(raw) is None


@given(st.binary(max_size=40).map(lambda content: b'{"text": "' + content + b'"}'))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        text = parse(QueryIn, raw).text
    except InvalidQuery:
        return
    assert text.encode()
