"""Counterfactuals of a decision: change one input, apply the same rules again and compare the actions.

Only single changes are tried. If two reasons prevent automation, neither change alone gives another action, and the
result has neither of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from frontdesk.decision.rules import decide
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import Action, Priority, PriorityLevel, Understanding


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """`action` would have been decided if `condition` had been true. `condition` is a clause without its "if"."""

    condition: str
    action: Action


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """The inputs of one decision. `out_of_scope_threshold` is of the bundle, `urgent_score` of the priority policy."""

    understanding: Understanding
    taxonomy: Taxonomy
    priority: Priority
    max_plausible_to_clarify: int
    out_of_scope_threshold: float
    urgent_score: float

    @property
    def action(self) -> Action:
        return decide(self.understanding, self.taxonomy, self.priority, self.max_plausible_to_clarify).action

    def find_counterfactuals(self) -> list[Counterfactual]:
        """Return each single change that gives another action, in the order of the rules."""
        changes = (
            *self._scope_changes(),
            *self._policy_changes(),
            *self._priority_changes(),
            *self._certainty_changes(),
        )
        return [Counterfactual(condition, case.action) for condition, case in changes if case.action is not self.action]

    def _scope_changes(self) -> Iterator[tuple[str, DecisionInputs]]:
        intent = self.understanding.intent
        if not intent.in_scope:
            condition = f"the out-of-scope probability were at most {_percent(self.out_of_scope_threshold)}"
            condition += f" (it is {_percent(intent.out_of_scope_probability)})"
            yield condition, self._with_understanding(intent=replace(intent, in_scope=True))

    def _policy_changes(self) -> Iterator[tuple[str, DecisionInputs]]:
        label = self.understanding.intent.label
        policy = self.taxonomy.policy(label)
        if policy.escalate or not policy.automate:
            permissive_policy = replace(policy, automate=True, escalate=False, is_defined=True)
            others = (intent for intent in self.taxonomy.intents if intent.name != label)
            taxonomy = replace(self.taxonomy, intents=(permissive_policy, *others))
            yield f"the team's policy allowed {label} to be answered without a person", replace(self, taxonomy=taxonomy)

    def _priority_changes(self) -> Iterator[tuple[str, DecisionInputs]]:
        is_urgent = self.priority.level is PriorityLevel.URGENT
        level, bound = (PriorityLevel.HIGH, "below") if is_urgent else (PriorityLevel.URGENT, "at least")
        condition = f"the priority were {bound} {self.urgent_score:g} (it is {self.priority.score:g})"
        yield condition, replace(self, priority=replace(self.priority, level=level))

    def _certainty_changes(self) -> Iterator[tuple[str, DecisionInputs]]:
        intent, threshold = self.understanding.intent, self.understanding.automation_threshold
        if threshold is None:
            condition = f"a threshold of {_percent(intent.confidence)} or less had been certified"
            yield condition, self._with_understanding(automation_threshold=intent.confidence)
        elif intent.confidence < threshold:
            condition = f"the confidence were at least {_percent(threshold)} (it is {_percent(intent.confidence)})"
            yield condition, self._with_understanding(intent=replace(intent, confidence=threshold))
        else:
            condition = f"the confidence were below {_percent(threshold)} (it is {_percent(intent.confidence)})"
            yield condition, self._with_understanding(intent=replace(intent, confidence=math.nextafter(threshold, 0)))
        if len(self.understanding.plausible) > 1:
            yield (
                "only one intent were plausible",
                self._with_understanding(plausible=self.understanding.plausible[:1]),
            )
        if self.understanding.skipped:
            yield "no part of the system had been skipped", self._with_understanding(skipped=())

    def _with_understanding(self, **changes: object) -> DecisionInputs:
        return replace(self, understanding=replace(self.understanding, **changes))  # type: ignore[arg-type]  # by name


def _percent(share: float) -> str:
    return f"{share:.1%}"
