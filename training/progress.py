"""The resumable steps of a training run, and how far it is: what a progress bar needs to tell the time that is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ReportFraction = Callable[[float], None]
CHEAP_STAGE = 6.0
ENCODER_PASS = (
    0.003  # units for one row once through a MiniLM-sized encoder and back, two encoders at work on two cores
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: units done of all (a second or two each on two cores), and what is being done."""

    completed: float
    total: float
    step: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A resumable step: what to say, its usual cost in units, the work (told how to report its share), its marker."""

    step: str
    cost: float
    work: Callable[[ReportFraction], None]
    marker_name: str
