"""Fallback ensembles."""

from __future__ import annotations

from model_store.bundle import Bundle
from runners.ensemble.warm_up import GOLDEN_TOLERANCE
from training.models.meta_learning import fallback_members


def test_there_is_a_fallback_without_each_encoder_and_one_without_all() -> None:
    assert fallback_members(("xgboost", "distilbert", "roberta")) == {
        "without_distilbert": ("xgboost", "roberta"),
        "without_roberta": ("xgboost", "distilbert"),
        "without_encoders": ("xgboost",),
    }


def test_without_the_only_encoder_is_without_all() -> None:
    assert fallback_members(("xgboost", "roberta")) == {"without_roberta": ("xgboost",)}


def test_a_bundle_without_encoders_has_no_fallback(tiny_bundle: Bundle) -> None:
    assert fallback_members(tiny_bundle.manifest.members) == {}
    assert "reserves" not in tiny_bundle.manifest.metrics
    assert not [name for name in tiny_bundle.manifest.files if name.startswith("reserves/")]


def test_a_bundle_has_the_metrics_of_each_fallback(encoder_bundle: Bundle) -> None:
    manifest = encoder_bundle.manifest
    assert {name: tuple(members) for name, members in manifest.reserves.items()} == fallback_members(manifest.members)
    for name in manifest.reserves:
        assert {f"reserves/{name}/{file}" for file in ("intent.onnx", "sentiment.onnx", "calibration.json")} < set(
            manifest.files
        )
        metrics = manifest.metrics["reserves"][name]
        assert set(metrics) == {"intent", "sentiment"}
        assert {"accuracy", "log_loss", "ece"} < set(metrics["intent"])


def test_the_ablation_of_an_encoder_equals_its_fallback(encoder_bundle: Bundle) -> None:
    """Both use the same booster and calibration: a report must not contain two values for the same ensemble."""
    metrics = encoder_bundle.manifest.metrics
    for name in ("without_distilbert", "without_roberta"):
        ablated, reserve = metrics["ablation"]["intent"][name], metrics["reserves"][name]["intent"]
        assert abs(ablated["log_loss"] - reserve["log_loss"]) < GOLDEN_TOLERANCE["int8"]
