"""The metrics of the priority benchmark on rows with known results."""

from __future__ import annotations

import numpy as np

from benchmarks.priority import ScoredRows, is_development_text, measure


def rows(scores: list[float], levels: list[str], urgency: list[int]) -> ScoredRows:
    lengths = np.arange(len(scores))
    return ScoredRows(np.array(scores), np.array(levels), np.array(urgency), lengths, np.ones(len(scores), dtype=bool))


def test_a_perfect_order_has_rank_correlation_and_auroc_one() -> None:
    metrics = measure(
        rows(
            [10, 10, 30, 30, 60, 90] * 5,
            ["low", "low", "medium", "medium", "high", "urgent"] * 5,
            [0, 0, 1, 1, 2, 2] * 5,
        )
    )

    assert metrics["auroc_high"]["value"] == metrics["right"]["value"] == 1.0
    assert metrics["spearman"]["value"] > 0.97
    assert metrics["levels"]["high"] == {"low": 0, "medium": 0, "high": 5, "urgent": 5}


def test_ties_between_high_and_others_count_half() -> None:
    metrics = measure(rows([20.0, 20.0, 10.0] * 10, ["medium", "medium", "low"] * 10, [1, 2, 0] * 10))

    assert metrics["auroc_high"]["value"] == 0.75


def test_the_half_of_a_text_depends_on_nothing_but_the_text() -> None:
    texts = [f"mail {number}" for number in range(400)]

    assert [is_development_text(text) for text in texts] == [is_development_text(text) for text in reversed(texts)][
        ::-1
    ]
    assert 150 < sum(map(is_development_text, texts)) < 250
