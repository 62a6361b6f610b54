"""How figures are summed up: the median of several rounds, and the least and most beside it.

Ratios are formed within each round and summed up then: both sides of a round met the same machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __format__(self, form: str) -> str:
        """`median (least-most)`, each in the given form."""
        return f"{self.median:{form}} ({self.least:{form}}-{self.most:{form}})"


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Round by round, one by the other."""
    return Spread.of([upper / lower for upper, lower in zip(above, below, strict=True)])
