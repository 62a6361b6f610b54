"""Learning curves: loss and learning rate of an encoder at each step, as files in a bundle's folder `curves/`.

One file per curve, a JSON list of [step, loss, learning rate].
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = "curves"


class OptimiserStep(NamedTuple):
    """One optimiser step, counted from 1: loss of the batch over both tasks, learning rate of the encoder body."""

    step: int
    loss: float
    learning_rate: float


Curves = Mapping[str, Sequence[OptimiserStep]]


def write_curve(steps: Sequence[OptimiserStep], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(steps) + "\n", encoding="utf-8")


def read_curves(bundle: Path) -> dict[str, tuple[OptimiserStep, ...]]:
    """Read the curves of a bundle by file name, in alphabetical order; empty if no encoder was trained."""
    return {
        path.stem: tuple(OptimiserStep(*step) for step in json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((bundle / FOLDER).glob("*.json"))
    }


def metric_points(curves: Curves) -> Iterator[tuple[str, int, float]]:
    """Yield (metric, step, value) of all curves; the common prefix groups them in MLflow."""
    for name, steps in curves.items():
        for step in steps:
            yield f"{FOLDER}/{name}.loss", step.step, step.loss
            yield f"{FOLDER}/{name}.learning_rate", step.step, step.learning_rate
