"""What each member is worth: the meta-learner learned, calibrated and judged again without it, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import lightgbm
import numpy as np
from numpy.typing import NDArray

from runners.ensemble import Ensemble
from runners.models.calibration import Doubles, shared_out
from runners.models.member import Batch
from runners.models.meta_learner import candidates
from training.calibration import fit_platt
from training.evaluation import classification
from training.member_scores import TaskRows
from training.members import MISSING
from training.profile import MetaLearner
from training.stacking import fit_scorer

TIMED_TEXTS = 100


def ablate(
    names: tuple[str, ...],
    parts: tuple[TaskRows, TaskRows, TaskRows],
    folds: NDArray[np.intp],
    settings: MetaLearner,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Figures on test rows in scope of the ensemble without each member in turn.

    Args:
        names: of the members, in the order of their scores.
        parts: the intents of stacking, calibration and test rows.
        folds: (stacking rows,) as the meta-learner had them.
    """
    figures = {}
    for place, name in enumerate(names):
        rest = (*names[:place], *names[place + 1 :])
        learned, calibrated_on, judged_on = (part.without(place) for part in parts)
        booster = fit_scorer(rest, learned, folds, settings.candidates_per_member, settings, seed)
        calibrator = fit_platt(_scored(booster, calibrated_on, settings), calibrated_on.truth)
        scored = calibrator(_scored(booster, judged_on, settings))
        in_scope = judged_on.truth != MISSING
        probabilities = shared_out(scored, judged_on.members.mean(axis=0))[in_scope]
        figures[f"without_{name}"] = classification(probabilities, judged_on.truth[in_scope])
    return figures


def cost(ensemble: Ensemble, texts: Sequence[str]) -> Mapping[str, float]:
    """Milliseconds of CPU for a text that comes alone: of each member, and of the ensemble with all its members."""
    chosen = [texts[row] for row in np.linspace(0, len(texts) - 1, min(TIMED_TEXTS, len(texts))).astype(int)]
    batches = [Batch((text,), ensemble.features.rows((text,))) for text in chosen]
    taken = {}
    for member in ensemble.members:
        started = time.process_time()
        for batch in batches:
            member.scores(batch)
        taken[member.name] = time.process_time() - started
    started = time.process_time()
    for text in chosen:
        ensemble.judge((text,))
    taken["ensemble"] = time.process_time() - started
    return {name: round(seconds * 1000 / len(chosen), 4) for name, seconds in taken.items()}


def _scored(booster: lightgbm.Booster, rows: TaskRows, settings: MetaLearner) -> Doubles:
    """(rows, labels) of a booster that has no graph."""
    found = candidates(rows.members, rows.statistics, settings.candidates_per_member)
    spread = np.zeros(rows.members.shape[1:], dtype=np.float64)
    spread[found.text, found.label] = np.asarray(booster.predict(found.rows, num_threads=1))
    return spread
