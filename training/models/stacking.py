"""Fitting of the meta-learner's candidate scorers (LightGBM), on rows that base models were not trained on."""

from __future__ import annotations

import lightgbm
import numpy as np
from numpy.typing import NDArray

from frontdesk.features.statistics import STATISTICS
from runners.models.meta_learner import build_candidate_rows, candidate_column_names
from training.models.base_model_scores import TaskScores
from training.profiles.profile import MetaLearnerSettings


def fit_scorer(
    names: tuple[str, ...],
    rows: TaskScores,
    folds: NDArray[np.intp],
    top: int,
    settings: MetaLearnerSettings,
    seed: int,
) -> lightgbm.Booster:
    """Fit the booster of one task, with the number of rounds that is best in cross-validation.

    Monotone constraints: a higher probability of a base model never makes a candidate less likely. They cost nothing
    with enough rows; a few hundred rows are too few to learn this relation from (benchmarks/LOG.md).

    Args:
        names: names of the base models, for the columns of the booster.
        rows: scores of one task, for rows that the base models were not trained on.
        folds: (rows,) fold numbers; all candidates of a text are in the same fold.
        top: candidates per base model.
        settings: of the meta-learner.
        seed: of the booster.
    """
    candidates = build_candidate_rows(rows.members, rows.statistics, top)
    right = (rows.truth[candidates.text] == candidates.label).astype(np.float32)
    columns = candidate_column_names(names, tuple(STATISTICS))
    parameters = {
        **settings.parameters,
        "monotone_constraints": [_monotone_constraint(column) for column in columns],
        "objective": "binary",
        "metric": "binary_logloss",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(candidates.rows, label=right, feature_name=list(columns), free_raw_data=False)
    fold_of_candidate = _usable_folds(folds)[candidates.text]
    parts = [
        (np.flatnonzero(fold_of_candidate != fold), np.flatnonzero(fold_of_candidate == fold))
        for fold in np.unique(fold_of_candidate)
    ]
    history = lightgbm.cv(
        parameters,
        data,
        num_boost_round=settings.max_rounds,
        folds=parts,
        callbacks=[lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)],
    )
    rounds = max(1, len(history["valid binary_logloss-mean"]))
    return lightgbm.train(parameters, data, num_boost_round=rounds)


def _usable_folds(folds: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the folds, or two new ones if all rows are in one: with few rows of each intent, all are in the first."""
    return np.arange(len(folds)) % 2 if len(np.unique(folds)) < 2 else folds


def _monotone_constraint(column: str) -> int:
    """Monotone constraint of a column: 1 increasing, -1 decreasing, 0 none."""
    if column == "best_mean_probability":  # belongs to the best label of the text, which may be another candidate
        return 0
    if column.endswith(("_probability", "_margin")) or column == "votes":
        return 1
    return -1 if column.endswith("_rank") else 0
