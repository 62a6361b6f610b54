"""The priority of a message: how soon a person should handle it, and the points that add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PriorityLevel(StrEnum):
    """How soon a person should handle the message, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class PriorityPart:
    """One term of the sum: its points, and the reason in words."""

    name: str
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Priority:
    """`score` is the sum of `parts`, between 0 and 100; `level` is the level for that score."""

    level: PriorityLevel
    score: float
    parts: tuple[PriorityPart, ...]
