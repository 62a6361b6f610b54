"""What `mask` finds in messages written for the purpose, by kind.

The half `look` is read while patterns are changed. `check` is scored and then left: where a defect that it shows is
mended, its messages move to `look`, and new ones are written. What they gave when they were new, structured kinds:
94 messages recall 0.972, precision 0.972 (names: recall 0.594); then 174 messages 0.980 and 0.980 (0.839), once six
marks were put right that broke the set's own rules (0.946 and 0.939 before); then the 137 that are `check` now 0.982
and 1.000 (0.897). The 329 of `unseen` were written last, harder and in other trades, by somebody who had not written
the first: 0.924 and 0.964 (0.716) when they were first scored; version 2 would have had 0.819 and 0.928 (0.562). The
144 of `unseen2`, shorter and rougher, gave 0.830 and 0.930 (0.619). What is asserted of both is that first score, with
a little room. Patterns have been mended for them since (0.993 and 0.993, 0.938 and 0.971): new figures need new ones.
"""

from __future__ import annotations

import pytest

from tests.masking.marked import HALVES, READ, STRUCTURED, figures, marked_messages, table

MIN_RECALL, MIN_PRECISION = 0.98, 0.97
MIN_SPANS = 35
FIRST_SEEN = {  # recall and precision at the first scoring, less a hundredth, or one or two spans
    ("unseen", "EMAIL"): (0.97, 0.97),
    ("unseen", "URL"): (0.90, 0.90),
    ("unseen", "IBAN"): (0.95, 0.95),
    ("unseen", "CARD"): (0.96, 0.96),
    ("unseen", "PHONE"): (0.98, 0.96),
    ("unseen", "ORDER"): (0.87, 0.89),
    ("unseen", "ACCOUNT"): (0.79, 0.98),
    ("unseen", "ID"): (0.90, 0.96),
    ("unseen", "IP"): (0.95, 0.95),
    ("unseen", "ADDRESS"): (0.92, 0.90),
    ("unseen", "NAME"): (0.70, 0.96),
    ("unseen", "structured"): (0.915, 0.955),
    ("unseen2", "structured"): (0.82, 0.92),
    ("unseen2", "ADDRESS"): (0.85, 0.85),
    ("unseen2", "NAME"): (0.60, 0.98),
}


@pytest.mark.parametrize(("half", "kind"), FIRST_SEEN)
def test_what_was_found_in_unseen_messages_is_still_found(half: str, kind: str) -> None:
    found = figures(marked_messages(half))[kind]
    recall, precision = FIRST_SEEN[half, kind]
    assert found.recall >= recall
    assert found.precision >= precision


@pytest.mark.parametrize("half", READ)
def test_structured_kinds_are_found_as_often_as_asked(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table(half)}")  # noqa: T201  -- the table is what this test is read for
    found = figures(marked_messages(half))["structured"]
    assert found.recall >= MIN_RECALL
    assert found.precision >= MIN_PRECISION
    assert found.readable <= 0.02 * found.marked


@pytest.mark.parametrize("kind", STRUCTURED)
def test_each_structured_kind_is_found_in_enough_messages(kind: str) -> None:
    found = figures(marked_messages("look"))[kind]
    assert found.recall >= MIN_RECALL
    assert found.precision >= MIN_PRECISION
    assert figures(message for half in HALVES for message in marked_messages(half))[kind].marked >= MIN_SPANS


def test_the_set_is_as_large_as_asked() -> None:
    assert figures(message for half in HALVES for message in marked_messages(half))["all"].marked >= 1000


def test_names_and_addresses_do_not_get_worse() -> None:
    messages = [message for half in HALVES for message in marked_messages(half)]
    found = figures(messages)
    assert found["NAME"].recall >= 0.85
    assert found["NAME"].precision >= 0.95
    assert found["ADDRESS"].recall >= 0.85
