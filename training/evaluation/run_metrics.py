"""What the draft of a bundle does on the rows that nothing learned from: every figure that goes into its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frontdesk.scores import Sampled
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import Judgement
from training.data.auxiliary_sentiment import is_borrowed
from training.data.row_roles import Partition
from training.data.splits import Rows
from training.evaluation.ablation import ablate, cost
from training.evaluation.batch_scoring import judge_all
from training.evaluation.error_detection import error_detection
from training.evaluation.guarantees import Judged, resplit_sets
from training.evaluation.metrics import evaluate, judged_intents, of_tasks
from training.models.base_model_scores import MemberScores, TaskRows


@dataclass(frozen=True, slots=True)
class Examination:
    """A draft and what it is examined with.

    `kept` is the folder where the stages before left the members' scores (`stacking.npz`, `calibration.npz`), each
    encoder's samples under dropout (`full-dropout-<name>.npz`) and each member's parity (`<name>.json`).
    """

    data: Partition
    ensemble: Ensemble
    kept: Path

    def figures(self) -> dict[str, Any]:
        """The manifest's metrics."""
        data, ensemble, rows = self.data, self.ensemble, self.data.splits.test
        labels, seed = data.labels(rows), data.profile.seed
        judgement = judge_all(ensemble, data.texts(rows))
        calibrated_on = judge_all(ensemble, data.texts(data.splits.calibration), sampling=False)
        figures = evaluate(ensemble, judgement, labels, data.out_of_scope(rows), data.near(rows))
        figures["conformal"] |= resplit_sets(
            self._judged(calibrated_on, data.splits.calibration),
            self._judged(judgement, rows),
            ensemble.calibration.conformal_coverage,
            seed,
        )
        figures["error_detection"] = error_detection(judgement, labels.intent, data.doubted, self._full_dropout())
        tested = MemberScores.of(judgement.members, ensemble.features.rows(data.texts(rows)))
        figures["ablation"] = {"intent": self._ablation(tested)}
        if ensemble.reserves:
            figures["reserves"] = {
                name: of_tasks(ensemble.judge_in_reserve(name, judgement.members, tested.statistics), labels)
                for name in ensemble.reserves
            }
        figures["cost_ms"] = cost(ensemble, data.texts(rows))
        figures["onnx"] = {
            member.name: json.loads((self.kept / f"{member.name}.json").read_text(encoding="utf-8"))
            for member in ensemble.members
        }
        if borrowed := sum(is_borrowed(example) for example in data.rows):
            figures["borrowed_sentiment"] = {"rows": borrowed}
        return figures

    def _judged(self, judgement: Judgement, rows: Rows) -> Judged:
        data = self.data
        return judged_intents(self.ensemble, judgement, data.labels(rows), data.out_of_scope(rows), data.near(rows))

    def _ablation(self, tested: MemberScores) -> dict[str, dict[str, float]]:
        splits = self.data.splits
        return ablate(
            self.ensemble.names,
            (
                self._intents(MemberScores.load(self.kept / "stacking.npz"), self.data.stacking),
                self._intents(MemberScores.load(self.kept / "calibration.npz"), splits.calibration),
                self._intents(tested, splits.test),
            ),
            self.data.stacking_folds[self.data.judged(self.data.stacking)],
            self.data.profile,
            {name: reserve.intent_scorer for name, reserve in self.ensemble.reserves.items()},
        )

    def _intents(self, scores: MemberScores, rows: Rows) -> TaskRows:
        return scores.task("intent", self.data.labels(rows).intent, self.data.judged(rows))

    def _full_dropout(self) -> list[Sampled]:
        found = []
        for name in self.data.profile.encoders:
            with np.load(self.kept / f"full-dropout-{name}.npz", allow_pickle=False) as arrays:
                found.append(Sampled(arrays["mean"], arrays["entropy"]))
        return found
