"""Learning curves: what an encoder's loss and learning rate were at every step, as files in a bundle's `curves/`.

One file per curve, a JSON list of [step, loss, learning rate]. Knows nothing of torch, pictures or MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = "curves"


class Step(NamedTuple):
    """One optimiser step, counted from 1: the batch's loss over both tasks, and the learning rate of the body."""

    step: int
    loss: float
    learning_rate: float


Curves = Mapping[str, Sequence[Step]]


def write_curve(steps: Sequence[Step], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(steps) + "\n", encoding="utf-8")


def read_curves(bundle: Path) -> dict[str, tuple[Step, ...]]:
    """The curves in a bundle's folder by file name, in alphabetical order; none where no encoder was trained."""
    return {
        path.stem: tuple(Step(*step) for step in json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((bundle / FOLDER).glob("*.json"))
    }


def metric_points(curves: Curves) -> Iterator[tuple[str, int, float]]:
    """(metric, step, value) of every curve, named so that MLflow shows them under one heading."""
    for name, steps in curves.items():
        for step in steps:
            yield f"{FOLDER}/{name}.loss", step.step, step.loss
            yield f"{FOLDER}/{name}.learning_rate", step.step, step.learning_rate
