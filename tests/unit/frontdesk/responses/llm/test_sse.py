from __future__ import annotations

from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.responses.llm.sse import SseEventTooLong, SseParser

STREAM = b": hello\n\nevent: x\ndata: one\n\ndata:two\r\nid: 7\r\n\r\ndata: a\ndata: \xc3\xa9\n\n\n\ndata: cut off"
EVENTS = [b"one", b"two", b"a\n\xc3\xa9"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_do_not_depend_on_the_size_of_the_pieces(cuts: list[int]) -> None:
    parser = SseParser(1_000)
    bounds = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(bounds)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


@given(st.binary(max_size=500))
def test_any_bytes_are_events_or_none(data: bytes) -> None:
    assert all(isinstance(event, bytes) for event in SseParser(1_000).feed(data))


@pytest.mark.parametrize(
    "piece", [b"data: " + b"x" * 30, b"data: x\n" * 30, b"x" * 30], ids=["line", "lines", "no field"]
)
def test_an_endless_event_is_rejected(piece: bytes) -> None:
    parser = SseParser(100)
    with pytest.raises(SseEventTooLong):
        list(chain.from_iterable(parser.feed(piece) for _ in range(10)))


def test_many_short_events_are_not_too_long() -> None:
    parser = SseParser(100)
    assert sum(1 for _ in range(1_000) for _ in parser.feed(b"data: short\n\n")) == 1_000
