from __future__ import annotations

import math

import pytest

from frontdesk.features.statistics import STATISTICS, statistics
from frontdesk.masking import KINDS


def value(name: str, text: str) -> float:
    return float(statistics(text)[list(STATISTICS).index(name)])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("log_characters", "abc", math.log(4)),
        ("log_tokens", "one two!", math.log(4)),
        ("lines", "a\nb\nc", 2),
        ("questions", "why? how?", 2),
        ("exclamations", "no!!!", 3),
        ("capital_share", "ABcd", 0.5),
        ("capital_share", "123", 0),
        ("digit_share", "a1", 0.5),
        ("emoji", "😡🙏", 2),
        ("negations", "I cannot and dont want", 2),
        ("courtesies", "could you please", 2),
        ("praise", "great, thanks", 1),
        ("grievances", "terrible and rude", 2),
        ("masked_order", "[ORDER_1] and [ORDER_2]", 2),
        ("masked_email", "[EMAIL_1] [ORDER_1]", 1),
        ("masked_card", "[EMAIL_1]", 0),
        ("masked_account", "[ACCOUNT_1] of [NAME_1]", 1),
        ("masked_name", "[NAME_1] for [NAME_2]", 2),
    ],
)
def test_each_statistic_counts_what_its_name_says(name: str, text: str, expected: float) -> None:
    assert value(name, text) == pytest.approx(expected)


def test_an_empty_text_has_finite_statistics() -> None:
    assert statistics("").shape == (len(STATISTICS),)
    assert (statistics("") == 0).all()


def test_every_kind_that_masking_knows_is_counted() -> None:
    assert [name for name in STATISTICS if name.startswith("masked_")] == [f"masked_{kind.lower()}" for kind in KINDS]
