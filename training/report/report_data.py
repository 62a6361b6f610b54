"""Input of a report: all data of page and model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_store.manifest import Manifest
from runners.models.calibration import Calibration
from training.evaluation.bundle_evaluation import IntentConfusion, LatencyStats
from training.models.curves import Curves
from training.report.predictions import Predictions

TASKS = ("intent", "sentiment")


@dataclass(frozen=True, slots=True)
class ReportData:
    """A sealed bundle and its results on its held-out rows.

    Attributes:
        manifest: of the bundle.
        calibration: of the bundle.
        predictions: at least one row has an intent.
        curves: learning curves of the encoders; empty without encoders.
        confusions: with masked messages, the only messages in a report.
        latency: on the machine that creates the report, one thread.
        size_bytes: size of all files of the bundle.
    """

    manifest: Manifest
    calibration: Calibration
    predictions: Predictions
    curves: Curves
    confusions: tuple[IntentConfusion, ...]
    latency: LatencyStats
    size_bytes: int

    @property
    def metrics(self) -> Mapping[str, Any]:
        return self.manifest.metrics

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks for which at least one held-out row has a label."""
        return tuple(task for task in TASKS if self.metrics[task])

    @property
    def per_intent(self) -> Mapping[str, Mapping[str, Any]]:
        """The stored metrics by intent; empty for older bundles."""
        metrics: Mapping[str, Mapping[str, Any]] = self.metrics.get("per_intent", {})
        return metrics

    @property
    def uncertainty_metrics(self) -> dict[str, Mapping[str, float]]:
        """Detection metrics of each uncertainty measure; older bundles only have AUROC."""
        metrics: Mapping[str, Any] = self.metrics.get("error_detection", {})
        return {name: values if isinstance(values, Mapping) else {"auroc": values} for name, values in metrics.items()}

    @property
    def far_out_of_scope_rows(self) -> int:
        """Number of held-out out-of-scope messages, without those of withheld intents."""
        rows: int = self.metrics["scope"].get("rows", int(self.predictions.out_of_scope.sum()))
        return rows
