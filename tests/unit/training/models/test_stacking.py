"""The candidate scorer, fitted on two synthetic base models: an accurate one, and one that guesses."""

from __future__ import annotations

import numpy as np

from frontdesk.features.statistics import STATISTICS
from runners.models.meta_learner import build_candidate_rows, candidate_column_names
from training.models.base_model_scores import TaskScores
from training.models.stacking import _monotone_constraint, fit_scorer
from training.profiles.profile import MetaLearnerSettings

SETTINGS = MetaLearnerSettings(
    candidates_per_member=3,
    max_rounds=60,
    early_stopping_rounds=10,
    parameters={"learning_rate": 0.1, "num_leaves": 7, "min_data_in_leaf": 5},
)
NAMES = ("knows", "guesses")
LABELS = 6


def two_members(rows: int, seed: int) -> TaskScores:
    """Scores of two base models; the first one is mostly right."""
    values = np.random.default_rng(seed)
    truth = values.integers(0, LABELS, rows)
    logits = values.normal(size=(2, rows, LABELS))
    logits[0, np.arange(rows), truth] += 3
    members = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return TaskScores(members.astype(np.float32), np.zeros((rows, len(STATISTICS)), dtype=np.float32), truth)


def test_the_scorer_listens_to_the_member_that_knows() -> None:
    booster = fit_scorer(NAMES, two_members(600, 1), np.arange(600) % 4, 3, SETTINGS, 7)
    unseen = two_members(300, 2)
    fresh, truth = unseen.members, unseen.truth
    result = build_candidate_rows(fresh, unseen.statistics, 3)
    spread = np.zeros((300, LABELS))
    spread[result.text, result.label] = booster.predict(result.rows)
    assert (spread.argmax(1) == truth).mean() >= (fresh[0].argmax(1) == truth).mean() - 0.02
    assert (spread.argmax(1) == truth).mean() > (fresh[1].argmax(1) == truth).mean() + 0.4


def test_more_from_a_member_never_makes_a_candidate_less_likely() -> None:
    booster = fit_scorer(NAMES, two_members(600, 1), np.arange(600) % 4, 3, SETTINGS, 7)
    unseen = two_members(50, 3)
    rows = build_candidate_rows(unseen.members, unseen.statistics, 3).rows
    column = candidate_column_names(NAMES, tuple(STATISTICS)).index("knows_probability")
    before = booster.predict(rows)
    for more in (0.1, 0.4, 0.9):
        raised = rows.copy()
        raised[:, column] += more
        after = booster.predict(raised)
        assert (after >= before - 1e-12).all()
        before = after


def test_every_column_has_the_direction_that_its_meaning_gives() -> None:
    columns = candidate_column_names(NAMES, tuple(STATISTICS))
    directions = dict(zip(columns, map(_monotone_constraint, columns), strict=True))
    assert directions["knows_probability"] == directions["guesses_margin"] == directions["votes"] == 1
    assert directions["guesses_rank"] == -1
    assert directions["best_mean_probability"] == directions["disagreement"] == directions["knows_entropy"] == 0


def test_rows_that_are_all_in_one_fold_are_dealt_to_two() -> None:
    folds = np.zeros(8, dtype=np.intp)
    booster = fit_scorer(NAMES, two_members(8, 1), folds, 3, SETTINGS, 7)
    assert booster.num_trees() >= 1
