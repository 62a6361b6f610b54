from __future__ import annotations

import time
import uuid

from frontdesk.identifiers import uuid7


def test_identifiers_are_version_7_of_the_rfc_variant() -> None:
    value = uuid.UUID(uuid7())
    assert value.version == 7
    assert value.variant == uuid.RFC_4122


def test_the_first_48_bits_are_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid.UUID(uuid7()).int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_identifiers_differ_and_sort_by_time() -> None:
    first = [uuid7() for _ in range(1000)]
    time.sleep(0.002)
    later = uuid7()
    assert len(set(first)) == 1000
    assert all(earlier < later for earlier in first)
