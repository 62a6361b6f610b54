"""Priority points for a customer's history. The points are data: the section `history` of `policy/priority.yaml`.

An empty history gives no points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from frontdesk.features.customer_history import CustomerHistory
from frontdesk.types import PriorityPart


@dataclass(frozen=True, slots=True)
class HistoryPriorityPolicy:
    """The team's points. `contacts_from`: minimum number of earlier contacts in 7 days, without the current message."""

    repeated_points_each: float
    repeated_at_most: float
    contacts_points: float
    contacts_from: float
    escalated_points: float
    dissatisfied_points: float
    dissatisfied_below: float

    @property
    def max_points(self) -> float:
        """The maximum points of any history."""
        points = (self.repeated_at_most, self.contacts_points, self.escalated_points, self.dissatisfied_points)
        return sum(max(value, 0.0) for value in points)

    def parts(self, history: CustomerHistory, intent: str) -> Iterator[PriorityPart]:
        """Yield the points that `history` adds to a message with `intent`, each part with its reason."""
        if repeats := history.contacts_7d_by_intent.get(intent, 0):
            points = min(repeats * self.repeated_points_each, self.repeated_at_most)
            yield _part("repeated", points, f"has written about {intent} {_times_in_words(repeats)} in the last 7 days")
        if history.contacts_7d >= self.contacts_from:
            yield _part(
                "contacts", self.contacts_points, f"has written {_times_in_words(history.contacts_7d)} in 7 days"
            )
        if history.escalations_30d:
            because = f"was handed to a person {_times_in_words(history.escalations_30d)} in the last 30 days"
            yield _part("escalated", self.escalated_points, because)
        satisfaction = history.mean_satisfaction
        if satisfaction is not None and satisfaction < self.dissatisfied_below:
            yield _part("dissatisfied", self.dissatisfied_points, f"rated earlier answers {satisfaction:.1f} of 5")


def _part(name: str, points: float, because: str) -> PriorityPart:
    return PriorityPart(f"history.{name}", round(points, 1), because)


def _times_in_words(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"
