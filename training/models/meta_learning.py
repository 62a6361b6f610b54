"""Meta-learners: fitted, exported and calibrated, for all base models and for the fallback ensembles.

A fallback ensemble is used while encoders are unavailable. Its meta-learner is trained on the same rows and scores
without those of the excluded encoders, which takes one or two seconds. It has its own calibration and thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frontdesk.taxonomy import SENTIMENTS
from runners.ensemble.ensemble import open_meta_learner_scorers
from runners.models.calibration import Calibration
from runners.models.onnx_encoder import ENCODER_MEMBERS
from training.data.labels import MISSING
from training.data.row_roles import TrainingRunRows
from training.models.base_model_scores import BaseModelScores, Task
from training.models.calibration_fitting import calibrate
from training.models.onnx_export import export_booster
from training.models.stacking import fit_scorer


def fallback_members(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The base models of each fallback ensemble by its name: without each encoder, and without all encoders."""
    encoders = tuple(name for name in names if name in ENCODER_MEMBERS)
    left_out: dict[str, tuple[str, ...]] = {f"without_{name}": (name,) for name in encoders}
    if len(encoders) > 1:
        left_out["without_encoders"] = encoders
    return {reserve: tuple(name for name in names if name not in excluded) for reserve, excluded in left_out.items()}


def fit_meta_learner(names: tuple[str, ...], scores: BaseModelScores, data: TrainingRunRows, folder: Path) -> None:
    """Fit the boosters of both tasks and export them into `folder`.

    Args:
        names: names of the base models.
        scores: their scores for the stacking rows.
        data: the rows of the run.
        folder: target of the export.
    """
    labels, settings = data.labels(data.stacking_rows), data.profile.meta_learner
    tasks: tuple[tuple[Task, NDArray[np.intp], NDArray[np.bool_], int], ...] = (
        ("intent", labels.intent, data.evaluable(data.stacking_rows), settings.candidates_per_member),
        ("sentiment", labels.sentiment, labels.sentiment != MISSING, len(SENTIMENTS)),
    )
    for task, truth, mask, top in tasks:
        task_rows, folds = scores.task(task, truth, mask), data.stacking_folds[mask]
        booster = fit_scorer(names, task_rows, folds, top, settings, data.profile.seed)
        export_booster(booster, booster.num_feature(), folder, task)


def calibrate_meta_learner(scores: BaseModelScores, data: TrainingRunRows, folder: Path) -> Calibration:
    """Calibrate the exported boosters in `folder`; `scores` are those of their base models for the calibration rows."""
    rows = data.splits.calibration
    intent, sentiment = open_meta_learner_scorers(
        folder, data.profile.meta_learner.candidates_per_member, len(SENTIMENTS), 1
    )
    return calibrate(
        intent.probabilities(scores.intent, scores.statistics),
        sentiment.probabilities(scores.sentiment, scores.statistics),
        scores.intent.mean(axis=0),
        data.labels(rows),
        out_of_scope=data.out_of_scope(rows),
        intents=data.intents,
        targets=data.profile.calibration,
    )
