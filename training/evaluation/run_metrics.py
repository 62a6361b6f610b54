"""What the draft of a bundle does on the rows that nothing learned from: every figure that goes into its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frontdesk.scores import DropoutStatistics
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from training.data.auxiliary_sentiment import is_auxiliary
from training.data.row_roles import DataPartition
from training.data.splits import Rows
from training.evaluation.ablation import ablate_base_models, measure_cpu_ms
from training.evaluation.batch_scoring import predict_all
from training.evaluation.error_detection import error_detection
from training.evaluation.guarantees import IntentPredictions, resplit_conformal_metrics
from training.evaluation.prediction_metrics import compute_task_metrics, evaluate_predictions, to_intent_predictions
from training.models.base_model_scores import BaseModelScores, TaskRows


@dataclass(frozen=True, slots=True)
class RunEvaluation:
    """A draft and what it is examined with.

    `work_folder` is the folder where the stages before left the members' scores (`stacking.npz`, `calibration.npz`), each
    encoder's samples under dropout (`full-dropout-<name>.npz`) and each member's parity (`<name>.json`).
    """

    data: DataPartition
    ensemble: Ensemble
    work_folder: Path

    def compute_metrics(self) -> dict[str, Any]:
        """The manifest's metrics."""
        data, ensemble, rows = self.data, self.ensemble, self.data.splits.test
        labels, seed = data.labels(rows), data.profile.seed
        judgement = predict_all(ensemble, data.texts(rows))
        calibrated_on = predict_all(ensemble, data.texts(data.splits.calibration), sampling=False)
        compute_metrics = evaluate_predictions(ensemble, judgement, labels, data.out_of_scope(rows), data.near(rows))
        compute_metrics["conformal"] |= resplit_conformal_metrics(
            self._judged(calibrated_on, data.splits.calibration),
            self._judged(judgement, rows),
            ensemble.calibration.conformal_coverage,
            seed,
        )
        compute_metrics["error_detection"] = error_detection(
            judgement, labels.intent, data.full_dropout_rows, self._full_dropout()
        )
        tested = BaseModelScores.of(judgement.members, ensemble.features.extract(data.texts(rows)))
        compute_metrics["ablation"] = {"intent": self._ablation(tested)}
        if ensemble.reserves:
            compute_metrics["reserves"] = {
                name: compute_task_metrics(
                    ensemble.predict_with_fallback(name, judgement.members, tested.statistics), labels
                )
                for name in ensemble.reserves
            }
        compute_metrics["cost_ms"] = measure_cpu_ms(ensemble, data.texts(rows))
        compute_metrics["onnx"] = {
            member.name: json.loads((self.work_folder / f"{member.name}.json").read_text(encoding="utf-8"))
            for member in ensemble.members
        }
        if borrowed := sum(is_auxiliary(example) for example in data.rows):
            compute_metrics["borrowed_sentiment"] = {"rows": borrowed}
        return compute_metrics

    def _judged(self, judgement: EnsemblePrediction, rows: Rows) -> IntentPredictions:
        data = self.data
        return to_intent_predictions(
            self.ensemble, judgement, data.labels(rows), data.out_of_scope(rows), data.near(rows)
        )

    def _ablation(self, tested: BaseModelScores) -> dict[str, dict[str, float]]:
        splits = self.data.splits
        return ablate_base_models(
            self.ensemble.names,
            (
                self._intents(BaseModelScores.load(self.work_folder / "stacking.npz"), self.data.stacking),
                self._intents(BaseModelScores.load(self.work_folder / "calibration.npz"), splits.calibration),
                self._intents(tested, splits.test),
            ),
            self.data.stacking_folds[self.data.evaluable(self.data.stacking)],
            self.data.profile,
            {name: reserve.intent_scorer for name, reserve in self.ensemble.reserves.items()},
        )

    def _intents(self, scores: BaseModelScores, rows: Rows) -> TaskRows:
        return scores.task("intent", self.data.labels(rows).intent, self.data.evaluable(rows))

    def _full_dropout(self) -> list[DropoutStatistics]:
        found = []
        for name in self.data.profile.encoders:
            with np.load(self.work_folder / f"full-dropout-{name}.npz", allow_pickle=False) as arrays:
                found.append(DropoutStatistics(arrays["mean"], arrays["entropy"]))
        return found
