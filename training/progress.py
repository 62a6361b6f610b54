"""Resumable stages of a training run, and its progress in units of work, from which the remaining time is estimated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ReportFraction = Callable[[float], None]
CHEAP_STAGE = 6.0
ENCODER_PASS = 0.003
"""Cost in units of work of one forward and backward pass of one row through an encoder of the size of MiniLM."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run: completed and total units of work (one or two seconds each on two cores), current step."""

    completed: float
    total: float
    step: str


@dataclass(frozen=True, slots=True)
class RunStage:
    """A resumable stage of a run.

    Attributes:
        step: its name in progress reports.
        cost: usual duration in units of work.
        work: runs the stage; gets a function to report the completed fraction, 0 to 1.
        marker_name: name of the file that marks the stage as completed.
    """

    step: str
    cost: float
    work: Callable[[ReportFraction], None]
    marker_name: str
