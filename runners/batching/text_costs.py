"""The time that a model needs for a text of a given length, measured when a worker starts.

The time is not proportional to the length: encoders truncate long texts, and every text has a fixed cost.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MEASURED_CHARACTERS = (20, 600, 4000)
"""Lengths of the measured texts: a short message, one at which encoders truncate (128 tokens), and the longest."""
RUNS = 3
_SAMPLE = (
    "The parcel with my new lamp was due on Friday and has not come; please tell me where it is. "
    "Two invoices show different amounts, and I have waited for a call since last week. "
)


@dataclass(frozen=True, slots=True)
class TextCosts:
    """Seconds by number of characters, in ascending order; linear between the points and constant outside."""

    points: Sequence[tuple[int, float]]

    def seconds(self, characters: int) -> float:
        index = bisect_left(self.points, characters, key=lambda point: point[0])
        if index == 0:
            return self.points[0][1]
        if index == len(self.points):
            return self.points[-1][1]
        (low, low_s), (high, high_s) = self.points[index - 1], self.points[index]
        return low_s + (high_s - low_s) * (characters - low) / (high - low)


def measure_text_costs(run: Callable[[Sequence[str]], object]) -> TextCosts:
    """Measure `run`, which evaluates texts, with one text of each length: the fastest of `RUNS` runs."""
    points: list[tuple[int, float]] = []
    for characters in MEASURED_CHARACTERS:
        text = (_SAMPLE * (characters // len(_SAMPLE) + 1))[:characters]
        fastest = min(_time_s(run, [text]) for _ in range(RUNS))
        points.append((characters, max(fastest, points[-1][1] if points else 0.0)))
    return TextCosts(points)


def _time_s(run: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    run(texts)
    return time.perf_counter() - started
