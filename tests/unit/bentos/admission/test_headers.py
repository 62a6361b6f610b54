from __future__ import annotations

import uuid

import pytest

from bentos.admission.headers import bypasses_cache, parse_deadline, request_id
from frontdesk.errors import InvalidQuery


@pytest.mark.parametrize("header", ["a", "A-b_c.9", "x" * 64])
def test_a_callers_request_id_is_kept(header: str) -> None:
    assert request_id(header) == header


@pytest.mark.parametrize("header", [None, "", "x" * 65, "a b", "a\n", "ä", "<a>"])
def test_what_may_not_stand_in_a_log_is_replaced_by_an_id_of_ours(header: str | None) -> None:
    assert uuid.UUID(request_id(header)).version == 7


@pytest.mark.parametrize(("header", "seconds"), [(None, 10.0), ("1", 0.001), ("2500", 2.5), ("999999999", 10.0)])
def test_the_shorter_time_counts(header: str | None, seconds: float) -> None:
    assert parse_deadline(header, 10.0) == seconds


@pytest.mark.parametrize("header", ["", "0", "00", "-1", "+1", "1.5", " 5", "1e3", "1000000000", "٣", "²"])
def test_a_time_that_is_no_whole_number_of_milliseconds_is_refused(header: str) -> None:
    with pytest.raises(InvalidQuery, match="whole number of milliseconds"):
        parse_deadline(header, 10.0)


@pytest.mark.parametrize(
    ("header", "afresh"),
    [
        (None, False),
        ("", False),
        ("max-age=0", False),
        ("no-cached", False),
        ("no-cache", True),
        ("no-store", True),
        ("NO-CACHE", True),
        ("max-age=0, No-Cache ,x", True),
    ],
)
def test_cache_control_is_read_by_its_directives(header: str | None, afresh: bool) -> None:
    assert bypasses_cache(header) is afresh
