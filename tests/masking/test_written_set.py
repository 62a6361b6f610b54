"""What `mask` finds in messages written for the purpose; the half `check` is not read for tuning."""

from __future__ import annotations

import pytest

from tests.masking.marked import HALVES, figures, marked_messages, table

MIN_RECALL, MIN_PRECISION = 0.98, 0.97


@pytest.mark.parametrize("half", HALVES)
def test_structured_kinds_are_found_as_often_as_asked(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table(half)}")  # noqa: T201  -- the table is what this test is read for
    found = figures(marked_messages(half))["structured"]
    assert found.recall >= MIN_RECALL
    assert found.precision >= MIN_PRECISION


def test_names_and_addresses_do_not_get_worse() -> None:
    messages = [message for half in HALVES for message in marked_messages(half)]
    found = figures(messages)
    assert found["NAME"].recall >= 0.85
    assert found["NAME"].precision >= 0.95
    assert found["ADDRESS"].recall >= 0.85
