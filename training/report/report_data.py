"""What a report is about: everything that page and model card are made of, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_store.manifest import Manifest
from runners.models.calibration import Calibration
from training.evaluation.bundle_evaluation import Confusion, Latency
from training.models.curves import Curves
from training.report.predictions import Predictions

TASKS = ("intent", "sentiment")


@dataclass(frozen=True, slots=True)
class ReportData:
    """One sealed bundle and what it said of its held-out rows.

    Attributes:
        predictions: of at least one row with an intent.
        curves: of the encoders; empty without them.
        confusions: with masked messages, the only texts of a report.
        latency: on the machine that draws the report, one thread.
        size_bytes: of all files of the bundle.
    """

    manifest: Manifest
    calibration: Calibration
    predictions: Predictions
    curves: Curves
    confusions: tuple[Confusion, ...]
    latency: Latency
    size_bytes: int

    @property
    def metrics(self) -> Mapping[str, Any]:
        return self.manifest.metrics

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that some held-out row has a label for."""
        return tuple(task for task in TASKS if self.metrics[task])

    @property
    def per_intent(self) -> Mapping[str, Mapping[str, Any]]:
        """The sealed figures of each intent; empty for bundles that were sealed before there were any."""
        metrics: Mapping[str, Mapping[str, Any]] = self.metrics.get("per_intent", {})
        return metrics

    @property
    def uncertainty_metrics(self) -> dict[str, Mapping[str, float]]:
        """The figures of each kind of doubt; older bundles have its AUROC alone."""
        metrics: Mapping[str, Any] = self.metrics.get("error_detection", {})
        return {name: values if isinstance(values, Mapping) else {"auroc": values} for name, values in metrics.items()}

    @property
    def far_rows(self) -> int:
        """Held-out messages that fit no intent and are not of a withheld one."""
        rows: int = self.metrics["scope"].get("rows", int(self.predictions.out_of_scope.sum()))
        return rows
