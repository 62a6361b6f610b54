"""Learning curves in files, and as metrics for the registry."""

from __future__ import annotations

from pathlib import Path

from training.models.curves import FOLDER, OptimiserStep, metric_points, read_curves, write_curve


def test_curves_come_back_as_they_were_written(tmp_path: Path) -> None:
    steps = (OptimiserStep(1, 3.5, 1e-5), OptimiserStep(2, 3.25, 2e-5))
    write_curve(steps, tmp_path / FOLDER / "roberta.json")
    write_curve(steps[:1], tmp_path / FOLDER / "distilbert.stacking.json")
    assert read_curves(tmp_path) == {"distilbert.stacking": steps[:1], "roberta": steps}


def test_a_bundle_without_encoders_has_no_curves(tmp_path: Path) -> None:
    assert read_curves(tmp_path) == {}


def test_every_step_is_a_point_of_two_metrics() -> None:
    assert list(metric_points({"roberta": [OptimiserStep(7, 0.5, 1e-5)]})) == [
        ("curves/roberta.loss", 7, 0.5),
        ("curves/roberta.learning_rate", 7, 1e-5),
    ]
