"""The meta-learner: LightGBM candidate scorers, trained only on predictions for rows that the members did not see."""

from __future__ import annotations

import lightgbm
import numpy as np
from numpy.typing import NDArray

from frontdesk.features.statistics import STATISTICS
from runners.models.meta_learner import build_candidates, column_names
from training.models.base_model_scores import TaskRows
from training.profiles.profile import MetaLearner


def fit_scorer(
    names: tuple[str, ...],
    rows: TaskRows,
    folds: NDArray[np.intp],
    top: int,
    settings: MetaLearner,
    seed: int,
) -> lightgbm.Booster:
    """Fit one task's booster, with the number of rounds that is best over the folds.

    A candidate never becomes less likely because a member gives it more: such constraints cost nothing where there are
    rows enough to learn it, and a blend of some hundred rows is not enough (benchmarks/LOG.md).

    Args:
        names: of the members, for the booster's columns.
        rows: of one task; no member saw them.
        folds: (rows,) so that a text's candidates stay together when rounds are chosen.
        top: candidates per member.
    """
    candidates = build_candidates(rows.members, rows.statistics, top)
    right = (rows.truth[candidates.text] == candidates.label).astype(np.float32)
    columns = column_names(names, tuple(STATISTICS))
    parameters = {
        **settings.parameters,
        "monotone_constraints": [_direction(column) for column in columns],
        "objective": "binary",
        "metric": "binary_logloss",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(candidates.rows, label=right, feature_name=list(columns), free_raw_data=False)
    fold_of_candidate = folds[candidates.text]
    parts = [
        (np.flatnonzero(fold_of_candidate != fold), np.flatnonzero(fold_of_candidate == fold))
        for fold in range(int(folds.max()) + 1)
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


def _direction(column: str) -> int:
    """1 where more of it must not make a candidate less likely, -1 where not likelier, 0 for the rest."""
    if column == "best_mean_probability":  # of the text's best label, which may be another candidate
        return 0
    if column.endswith(("_probability", "_margin")) or column == "votes":
        return 1
    return -1 if column.endswith("_rank") else 0
