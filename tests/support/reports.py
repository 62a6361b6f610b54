"""Report data with synthetic numbers, for any number of intents, with the metrics of current or older bundles.

Nothing is trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model_store.manifest import Manifest
from runners.models.calibration import Calibration, Platt
from training.data.labels import MISSING
from training.evaluation.bundle_evaluation import IntentConfusion, LatencyStats
from training.models.curves import Curves, OptimiserStep
from training.report.predictions import Predictions
from training.report.report_data import ReportData

MEMBERS = ("logistic_regression", "distilbert")
CURVES: Curves = {"distilbert": [OptimiserStep(number, 3.0 / number, 1e-4 / number) for number in range(1, 40)]}
LATENCY = LatencyStats(texts=50, p50_ms=2.5, p95_ms=4.0, batched_ms=1.25)
OLD = {"automation": {"share": 0.0, "error": 0.0}, "error_detection": {"confidence": 0.9}}
ROW = {"accuracy": 0.9, "macro_f1": 0.8, "log_loss": 0.3, "brier": 0.1, "ece": 0.05}


def names(intents: int) -> tuple[str, ...]:
    return tuple(f"intent_{number}" for number in range(intents))


def calibration(automation_threshold: float | None = 0.6, **intent_thresholds: float) -> Calibration:
    same = Platt(slope=1.0, offset=0.0)
    return Calibration(same, same, 0.4, 0.05, 0.1, 0.95, automation_threshold, 0.02, 0.95, 200, intent_thresholds)


def metrics(intents: tuple[str, ...]) -> dict[str, Any]:
    """Metrics with all keys of a current bundle."""
    figures = {**dict.fromkeys(MEMBERS, ROW), "soft_vote": ROW, "ensemble": {**ROW, "log_loss": 0.25}}
    return {
        "rows": 50,
        "intent": figures,
        "sentiment": figures,
        "ablation": {"intent": {f"without_{name}": {**ROW, "log_loss": 0.28} for name in MEMBERS}},
        "reserves": {"without_distilbert": {"intent": {**ROW, "accuracy": 0.777}, "sentiment": ROW}},
        "cost_ms": {"logistic_regression": 0.5, "distilbert": 4.0, "ensemble": 5.0},
        "per_intent": {
            label: {
                "rows": 30, "accuracy": 1 - 0.7 / (place + 1), "confidence": 0.8, "ece": 0.04, "brier": 0.2,
                "conformal_coverage": 1 - 0.3 / (place + 1), "conformal_size": 1.5, "automated": 0.5 * (place > 0),
                "automation_error": 0.01,
            }
            for place, label in enumerate(intents)
        },
        "scope": {
            "ece_with_out_of_scope": 0.03, "recall": 0.9, "false_alarm_rate": 0.05, "rows": 6, "auroc": 0.97,
            "near_rows": 4, "near_recall": 0.4, "near_auroc": 0.81,
        },
        "conformal": {
            "coverage": 0.96, "mean_set_size": 1.2, "target": 0.95, "resplit_coverage": 0.951,
            "resplit_deviation": 0.004, "resplit_set_size": 1.25, "resplits": 20,
        },
        "automation": {
            "share": 0.5, "error": 0.01, "threshold": 0.6, "max_error": 0.02, "confidence": 0.95, "upper_bound": 0.06,
        },
        "error_detection": {
            "member_disagreement": {"auroc": 0.7, "aurc": 0.04}, "confidence": {"auroc": 0.93, "aurc": 0.012},
        },
    }  # fmt: skip


def with_old_metrics(figures: dict[str, Any]) -> dict[str, Any]:
    """The metrics of an older bundle, without metrics by intent."""
    tasks = {key: figures[key] for key in ("rows", "intent", "sentiment")}
    scope = {key: figures["scope"][key] for key in ("ece_with_out_of_scope", "recall", "false_alarm_rate")}
    sets = {key: figures["conformal"][key] for key in ("coverage", "mean_set_size")}
    return {**tasks, "scope": scope, "conformal": sets, **OLD}


def manifest(intents: tuple[str, ...], figures: dict[str, Any] | None = None, **overrides: Any) -> Manifest:
    defaults: dict[str, Any] = {
        "version": "20260101-abcdef", "created_at": "2026-01-01T00:00:00+00:00", "code_version": "0.1.0",
        "profile": "tiny", "intents": intents, "sentiments": ("negative", "neutral", "positive"), "members": MEMBERS,
        "candidates_per_member": 5, "masking_version": "1", "feature_fingerprint": "f00",
        "data": {"source": "ours", "sha256": "ab" * 32, "rows": 300, "train": 200, "calibration": 50, "test": 50},
        "metrics": metrics(intents) if figures is None else figures, "files": {},
    }  # fmt: skip
    return Manifest(**{**defaults, **overrides})


def predictions(intents: int, rows: int = 50, out_of_scope: int = 8, near: int = 4, skill: float = 3.0) -> Predictions:
    """Random predictions. The first rows are out of scope, `near` of them near; a higher `skill` is more accurate."""
    generator = np.random.default_rng(1)
    truth = generator.integers(0, intents, rows)
    logits = generator.normal(size=(len(MEMBERS), rows, intents))
    logits[:, np.arange(rows), truth] += skill * generator.uniform(size=rows)
    members = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=2, keepdims=True)
    truth[:out_of_scope] = MISSING
    outside = np.arange(rows) < out_of_scope
    return Predictions(
        members, members.mean(axis=0) * 0.9, truth, outside, np.arange(rows) < near, rows_with_sentiment=rows
    )


def report_data(intents: tuple[str, ...] = ("refund", "invoice", "order"), **overrides: Any) -> ReportData:
    """Complete report data; `overrides` replace its attributes."""
    defaults: dict[str, Any] = {
        "manifest": manifest(intents),
        "calibration": calibration(),
        "predictions": predictions(len(intents)),
        "curves": {},
        "confusions": (IntentConfusion(intents[0], intents[-1], 2, "where is [ORDER_1]", 0.87),),
        "latency": LATENCY,
        "size_bytes": 3_000_000,
    }
    return ReportData(**{**defaults, **overrides})
