"""The meta-learner: LightGBM candidate scorers, trained only on predictions for rows that the members did not see."""

from __future__ import annotations

import lightgbm
import numpy as np
from numpy.typing import NDArray

from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats
from runners.models.meta_learner import candidates, column_names
from training.profile import MetaLearner


def fit_scorer(
    names: tuple[str, ...],
    members: Floats,
    statistics: Floats,
    truth: NDArray[np.intp],
    folds: NDArray[np.intp],
    top: int,
    settings: MetaLearner,
    seed: int,
) -> lightgbm.Booster:
    """Fit one task's booster, with the number of rounds that is best over the folds.

    Args:
        names: of the members, for the booster's columns.
        members: (members, texts, labels) probabilities for rows that the member did not see.
        statistics: (texts, statistics).
        truth: (texts,) the right label's column, or -1 where no label is right (out of scope).
        folds: (texts,) so that a text's candidates stay together when rounds are chosen.
        top: candidates per member.
    """
    found = candidates(members, statistics, top)
    right = (truth[found.text] == found.label).astype(np.float32)
    parameters = {
        **settings.parameters,
        "objective": "binary",
        "metric": "binary_logloss",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    columns = list(column_names(names, tuple(STATISTICS)))
    data = lightgbm.Dataset(found.rows, label=right, feature_name=columns, free_raw_data=False)
    fold_of_candidate = folds[found.text]
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
