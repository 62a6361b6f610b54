"""Metrics of a finished training run on its test rows: all metrics of the bundle's manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frontdesk.scores import DropoutStatistics
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from training.data.auxiliary_sentiment import is_auxiliary_sentiment_row
from training.data.row_roles import TrainingRunRows
from training.data.splits import Rows
from training.evaluation.ablation import ablate_base_models, measure_cpu_ms
from training.evaluation.batch_scoring import predict_all
from training.evaluation.error_detection import error_detection
from training.evaluation.guarantees import IntentPredictions, resplit_conformal_metrics
from training.evaluation.prediction_metrics import compute_task_metrics, evaluate_predictions, to_intent_predictions
from training.models.base_model_scores import BaseModelScores, TaskScores


@dataclass(frozen=True, slots=True)
class RunEvaluation:
    """Evaluation of the draft of a bundle.

    Earlier stages of the run wrote to `work_folder`: scores of the base models (`stacking.npz`, `calibration.npz`),
    samples of each encoder under full dropout (`full-dropout-<name>.npz`), and the parity of the exported graph of each
    base model (`<name>.json`).
    """

    data: TrainingRunRows
    ensemble: Ensemble
    work_folder: Path

    def compute_metrics(self) -> dict[str, Any]:
        """Compute the metrics of the manifest."""
        data, ensemble, rows = self.data, self.ensemble, self.data.splits.test
        labels, seed = data.labels(rows), data.profile.seed
        prediction = predict_all(ensemble, data.texts(rows))
        calibration_prediction = predict_all(ensemble, data.texts(data.splits.calibration), sampling=False)
        metrics = evaluate_predictions(
            ensemble, prediction, labels, data.out_of_scope(rows), data.withheld_intent_mask(rows)
        )
        metrics["conformal"] |= resplit_conformal_metrics(
            self._intent_predictions(calibration_prediction, data.splits.calibration),
            self._intent_predictions(prediction, rows),
            ensemble.calibration.conformal_coverage,
            seed,
        )
        metrics["error_detection"] = error_detection(
            prediction, labels.intent, data.full_dropout_test_rows, self._load_full_dropout_statistics()
        )
        test_scores = BaseModelScores.of(prediction.members, ensemble.features.extract(data.texts(rows)))
        metrics["ablation"] = {"intent": self._ablate_base_models(test_scores)}
        if ensemble.reserves:
            metrics["reserves"] = {
                name: compute_task_metrics(
                    ensemble.predict_with_fallback(name, prediction.members, test_scores.statistics), labels
                )
                for name in ensemble.reserves
            }
        metrics["cost_ms"] = measure_cpu_ms(ensemble, data.texts(rows))
        metrics["onnx"] = {
            member.name: json.loads((self.work_folder / f"{member.name}.json").read_text(encoding="utf-8"))
            for member in ensemble.members
        }
        if auxiliary_rows := sum(is_auxiliary_sentiment_row(example) for example in data.rows):
            metrics["borrowed_sentiment"] = {"rows": auxiliary_rows}
        return metrics

    def _intent_predictions(self, prediction: EnsemblePrediction, rows: Rows) -> IntentPredictions:
        data = self.data
        return to_intent_predictions(
            self.ensemble, prediction, data.labels(rows), data.out_of_scope(rows), data.withheld_intent_mask(rows)
        )

    def _ablate_base_models(self, test_scores: BaseModelScores) -> dict[str, dict[str, float]]:
        splits = self.data.splits
        return ablate_base_models(
            self.ensemble.member_names,
            (
                self._select_intent_rows(
                    BaseModelScores.load(self.work_folder / "stacking.npz"), self.data.stacking_rows
                ),
                self._select_intent_rows(
                    BaseModelScores.load(self.work_folder / "calibration.npz"), splits.calibration
                ),
                self._select_intent_rows(test_scores, splits.test),
            ),
            self.data.stacking_folds[self.data.evaluable(self.data.stacking_rows)],
            self.data.profile,
            {name: reserve.intent_scorer for name, reserve in self.ensemble.reserves.items()},
        )

    def _select_intent_rows(self, scores: BaseModelScores, rows: Rows) -> TaskScores:
        return scores.task("intent", self.data.labels(rows).intent, self.data.evaluable(rows))

    def _load_full_dropout_statistics(self) -> list[DropoutStatistics]:
        statistics = []
        for name in self.data.profile.encoders:
            with np.load(self.work_folder / f"full-dropout-{name}.npz", allow_pickle=False) as arrays:
                statistics.append(DropoutStatistics(arrays["mean"], arrays["entropy"]))
        return statistics
