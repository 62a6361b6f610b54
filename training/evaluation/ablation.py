"""Leave-one-out ablation of base models: the meta-learner is refitted and recalibrated without each one; CPU cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from frontdesk.scores import Floats
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.remote_ports import MetaLearnerScorer
from runners.models.base_model import ModelBatch
from runners.models.calibration import Doubles, normalise_probabilities
from runners.models.meta_learner import build_candidate_rows
from training.data.labels import MISSING
from training.evaluation.prediction_metrics import classification_metrics
from training.models.base_model_scores import TaskScores
from training.models.calibration_fitting import fit_platt, traffic_weights
from training.models.stacking import fit_scorer
from training.profiles.profile import CalibrationTargets, Profile

TIMED_TEXTS = 100


def ablate_base_models(
    names: tuple[str, ...],
    parts: tuple[TaskScores, TaskScores, TaskScores],
    folds: NDArray[np.intp],
    profile: Profile,
    fitted: Mapping[str, MetaLearnerScorer],
) -> dict[str, dict[str, float]]:
    """Metrics of the ensemble without each base model, on test rows in scope, after the same calibration.

    Args:
        names: names of the base models, in the order of their scores.
        parts: intent scores of the stacking, calibration and test rows.
        folds: (stacking rows,) fold numbers, the same as for the meta-learner.
        profile: profile of the run.
        fitted: scorers of fallback ensembles, by name (`without_<base model>`); they are not fitted again.
    """
    metrics, settings = {}, profile.meta_learner
    for index, name in enumerate(names):
        key, remaining = f"without_{name}", (*names[:index], *names[index + 1 :])
        stacking, calibration, test = (part.without_model(index) for part in parts)
        scorer = fitted.get(key) or _LightGbmScorer(
            fit_scorer(remaining, stacking, folds, settings.candidates_per_member, settings, profile.seed),
            settings.candidates_per_member,
        )
        raw = scorer.probabilities(calibration.members, calibration.statistics)
        calibrator = fit_platt(raw, calibration.truth, _calibration_weights(calibration, profile.calibration))
        calibrated = calibrator(scorer.probabilities(test.members, test.statistics))
        in_scope = test.truth != MISSING
        probabilities = normalise_probabilities(calibrated, test.members.mean(axis=0))[in_scope]
        metrics[key] = classification_metrics(probabilities, test.truth[in_scope])
    return metrics


def measure_cpu_ms(ensemble: Ensemble, texts: Sequence[str]) -> Mapping[str, float]:
    """CPU milliseconds for one text in a batch of its own: for each base model, and for the whole ensemble."""
    sampled_texts = [texts[row] for row in np.linspace(0, len(texts) - 1, min(TIMED_TEXTS, len(texts))).astype(int)]
    batches = [ModelBatch((text,), ensemble.features.extract((text,))) for text in sampled_texts]
    cpu_seconds = {}
    for member in ensemble.members:
        started = time.process_time()
        for batch in batches:
            member.scores(batch)
        cpu_seconds[member.name] = time.process_time() - started
    started = time.process_time()
    for text in sampled_texts:
        ensemble.predict((text,))
    cpu_seconds["ensemble"] = time.process_time() - started
    return {name: round(seconds * 1000 / len(sampled_texts), 4) for name, seconds in cpu_seconds.items()}


def _calibration_weights(rows: TaskScores, targets: CalibrationTargets) -> Doubles:
    """(rows,) calibration weights, the same as for the ensemble; every row without a truth is out of scope."""
    return traffic_weights(np.ones(len(rows.truth), dtype=np.bool_), rows.truth == MISSING, targets.usual_out_of_scope)


@dataclass(frozen=True, slots=True)
class _LightGbmScorer:
    """A `MetaLearnerScorer` that uses the LightGBM model itself, without an ONNX graph."""

    booster: lightgbm.Booster
    top: int

    def probabilities(self, members: Floats, statistics: Floats) -> Doubles:
        candidates = build_candidate_rows(members, statistics, self.top)
        probabilities = np.zeros(members.shape[1:], dtype=np.float64)
        probabilities[candidates.text, candidates.label] = np.asarray(
            self.booster.predict(candidates.rows, num_threads=1)
        )
        return probabilities
