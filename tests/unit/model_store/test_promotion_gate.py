"""Each check decides alone; the exact test agrees with independently computed values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from frontdesk.config import PromotionLimits
from model_store.promotion_gate import BundleMetrics, decide_promotion, intent_changes, mcnemar_p_value

LIMITS = PromotionLimits()
ROWS = 400
TRUTH = ("refund",) * (ROWS // 2) + ("delivery",) * (ROWS // 2)


def correct_except(*wrong: int) -> tuple[bool, ...]:
    return tuple(row not in wrong for row in range(ROWS))


CHAMPION = BundleMetrics(
    version="a",
    intents=("refund", "delivery"),
    truth=TRUTH,
    right=correct_except(*range(0, ROWS, 10)),
    sentiment_right=(True,) * 90 + (False,) * 10,
    log_loss=0.5,
    ece=0.04,
    latency_ms=2.0,
    size_bytes=10_000_000,
)


def failed_checks(challenger: BundleMetrics, limits: PromotionLimits = LIMITS) -> list[str]:
    return [check.name for check in decide_promotion(CHAMPION, replace(challenger, version="b"), limits).failed_checks]


def test_an_equal_challenger_passes_every_check() -> None:
    verdict = decide_promotion(CHAMPION, replace(CHAMPION, version="b"), LIMITS)
    assert verdict.passed
    assert (verdict.champion, verdict.challenger, verdict.rows, verdict.notes) == ("a", "b", ROWS, ())
    assert [check.name for check in verdict.checks] == [
        "paired test", "accuracy", "log loss", "each intent", "sentiment accuracy",
        "calibration error", "intents known", "latency", "size",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "limits", "name"),
    [
        ({"right": correct_except(*range(0, ROWS, 10), *range(1, 14, 2))}, {"max_accuracy_loss": 1}, "paired test"),
        ({"right": correct_except(*range(0, ROWS, 10), *range(1, 12, 2))}, {"significance": 0.001}, "accuracy"),
        ({"log_loss": 0.56}, {}, "log loss"),
        ({"right": correct_except(*range(80))}, {"max_accuracy_loss": 1, "significance": 1e-9}, "each intent"),
        ({"sentiment_right": (True,) * 87 + (False,) * 13}, {}, "sentiment accuracy"),
        ({"ece": 0.08}, {}, "calibration error"),
        ({"intents": ("refund",)}, {}, "intents known"),
        ({"latency_ms": 4.1}, {}, "latency"),
        ({"size_bytes": 20_000_001}, {}, "size"),
    ],
)
def test_each_check_refuses_alone(changed: dict[str, object], limits: dict[str, float], name: str) -> None:
    assert failed_checks(replace(CHAMPION, **changed), PromotionLimits(**limits)) == [name]


@pytest.mark.parametrize(
    "changed",
    [
        {"log_loss": 0.55},
        {"sentiment_right": (True,) * 88 + (False,) * 12},
        {"ece": 0.07},
        {"latency_ms": 4.0},
        {"size_bytes": 20_000_000},
        {"right": correct_except(*range(0, ROWS, 10), 1, 3, 5, 7)},
    ],
)
def test_exactly_at_the_limit_passes(changed: dict[str, object]) -> None:
    assert failed_checks(replace(CHAMPION, **changed)) == []


def test_a_refusal_names_both_figures_and_the_limit() -> None:
    (check,) = decide_promotion(CHAMPION, replace(CHAMPION, log_loss=0.9), LIMITS).failed_checks
    assert check.sentence == "0.500 -> 0.900 (+0.400); it may grow by at most 0.05"
    assert (check.champion, check.challenger, check.limit) == (0.5, 0.9, 0.05)


def test_a_lost_intent_is_named() -> None:
    (check,) = decide_promotion(CHAMPION, replace(CHAMPION, intents=("refund", "invoice")), LIMITS).failed_checks
    assert check.sentence == "it no longer knows delivery"


def test_a_significantly_better_challenger_passes_the_paired_test() -> None:
    assert failed_checks(replace(CHAMPION, right=(True,) * ROWS)) == []


def test_every_intent_beyond_the_limit_is_named_and_small_ones_are_left_out() -> None:
    champion = replace(CHAMPION, right=(True,) * ROWS)
    challenger = replace(CHAMPION, right=tuple(row % 2 == 0 for row in range(ROWS)))
    limits = {"significance": 1e-300, "max_accuracy_loss": 1}
    (check,) = decide_promotion(champion, challenger, PromotionLimits(**limits)).failed_checks
    assert "delivery 1.00 -> 0.50 (200 rows), refund 1.00 -> 0.50 (200 rows)" in check.sentence
    unjudged = decide_promotion(champion, challenger, PromotionLimits(min_rows_per_intent=201, **limits))
    assert unjudged.passed
    assert "each intent" not in [check.name for check in unjudged.checks]
    assert unjudged.notes == ("No intent has the 201 rows that are needed for a check of its own.",)


def test_without_a_champion_only_the_floor_counts() -> None:
    verdict = decide_promotion(None, CHAMPION, LIMITS)
    assert verdict.passed
    assert [check.name for check in verdict.checks] == ["accuracy above majority", "log loss below guessing"]
    assert [check.champion for check in verdict.checks] == [None, None]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"right": (True,) * 200 + (False,) * 200}, "accuracy above majority"),
        ({"log_loss": 1.1}, "log loss below guessing"),
    ],
)
def test_a_first_model_that_is_no_better_than_none_is_refused(changed: dict[str, object], name: str) -> None:
    assert [check.name for check in decide_promotion(None, replace(CHAMPION, **changed), LIMITS).failed_checks] == [
        name
    ]


def test_rows_that_the_champion_may_have_learned_are_in_a_note() -> None:
    champion = replace(CHAMPION, maybe_trained_on=37)
    (note,) = decide_promotion(champion, CHAMPION, LIMITS).notes
    assert note.startswith("37 of the rows")


def test_an_intent_that_only_the_challenger_knows_is_in_a_note() -> None:
    (note,) = decide_promotion(replace(CHAMPION, intents=("refund",)), CHAMPION, LIMITS).notes
    assert "does not know delivery" in note


def test_different_rows_give_no_verdict() -> None:
    with pytest.raises(ValueError, match="different rows"):
        decide_promotion(CHAMPION, replace(CHAMPION, truth=TRUTH[::-1]), LIMITS)


@pytest.mark.parametrize(
    ("only_first", "only_second", "expected"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (10, 2, 158 / 4096), (7, 7, 1.0), (8, 7, 1.0)],
)
def test_the_paired_test_gives_the_values_computed_by_hand(only_first: int, only_second: int, expected: float) -> None:
    assert mcnemar_p_value(only_first, only_second) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("only_first", "only_second"), [(3, 11), (59, 121), (500, 430), (2600, 2400), (0, 900)])
def test_the_paired_test_agrees_with_the_binomial_test_of_scipy(only_first: int, only_second: int) -> None:
    expected = binomtest(only_first, only_first + only_second).pvalue
    assert mcnemar_p_value(only_first, only_second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar_p_value(only_second, only_first) == mcnemar_p_value(only_first, only_second)


def test_changes_of_intents_run_from_the_largest_loss_to_the_largest_gain() -> None:
    challenger = replace(CHAMPION, right=(True,) * 200 + (False,) * 200)
    assert [(change.intent, round(change.change, 3)) for change in intent_changes(CHAMPION, challenger)] == [
        ("delivery", -0.9),
        ("refund", 0.1),
    ]
