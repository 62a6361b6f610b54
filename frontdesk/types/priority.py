"""How soon a person should look, and the points that say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PriorityLevel(StrEnum):
    """How soon a person should look, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class PriorityPart:
    """One reason for a priority: its points and, in words, where they come from."""

    name: str
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Priority:
    """How soon a person should look: the sum of `parts`, between 0 and 100, and the level it falls in."""

    level: PriorityLevel
    score: float
    parts: tuple[PriorityPart, ...]
