"""The intents, and the team's policy for each. The data is in `taxonomy/*.yaml`.

A bundle contains the taxonomy that it was trained on, so its labels and policy always match the model. An intent from
a team's own labels that has no policy gets the default of `IntentPolicy`: medium urgency, never automated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from frontdesk.errors import ConfigurationError
from frontdesk.yaml_files import read_yaml

SENTIMENTS = ("negative", "neutral", "positive")
OUT_OF_SCOPE = "out_of_scope"
URGENCIES = ("low", "medium", "high")
STARTER_TAXONOMY = Path(__file__).parent / "taxonomy" / "support.yaml"

SLOTS = ("order", "account", "email", "address", "amount", "date")
"""Arguments that an action may need. `frontdesk/decision/slot_filling.py` finds them in the message."""

_ACTION_FIELDS = {"does", "needs"}
_POLICY_FIELDS = {"description", "urgency", "automate", "escalate", "actions"}


@dataclass(frozen=True, slots=True)
class IntentPolicy:
    """The team's policy for one intent. `is_defined` is False if the team has not written one: the defaults apply."""

    name: str
    description: str = ""
    urgency: str = "medium"
    automate: bool = False
    escalate: bool = False
    actions: tuple[str, ...] = ()
    is_defined: bool = True


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The intents in label order (the order of every probability column) and the closed list of actions.

    `actions` describes each action. `needs` has the slots of the actions for which the team has listed them.
    """

    intents: tuple[IntentPolicy, ...]
    actions: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(intent.name for intent in self.intents)

    def policy(self, label: str) -> IntentPolicy:
        """The policy of an intent, or the cautious default if the taxonomy does not contain it."""
        for intent in self.intents:
            if intent.name == label:
                return intent
        return IntentPolicy(label, is_defined=False)

    def intents_without_policy(self) -> tuple[str, ...]:
        """Intents without a policy: they are understood, but never automated."""
        return tuple(intent.name for intent in self.intents if not intent.is_defined)

    def with_labels(self, labels: Sequence[str]) -> Taxonomy:
        """This taxonomy with exactly `labels`, in that order; a label that it lacks has no policy."""
        return Taxonomy(tuple(self.policy(label) for label in labels), self.actions, self.needs)

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for `from_mapping`; an intent without policy is null."""
        return {
            "intents": {
                intent.name: {
                    "description": intent.description,
                    "urgency": intent.urgency,
                    "automate": intent.automate,
                    "escalate": intent.escalate,
                    "actions": list(intent.actions),
                }
                if intent.is_defined
                else None
                for intent in self.intents
            },
            "actions": {
                name: {"does": description, "needs": list(self.needs[name])} if name in self.needs else description
                for name, description in self.actions.items()
            },
        }

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], source: str = "taxonomy") -> Taxonomy:
        """Read a taxonomy from plain data.

        Raises:
            ConfigurationError: a field is wrong; the message names the intent and the field.
        """
        actions = data.get("actions") or {}
        intents = data.get("intents") or {}
        if not intents:
            raise ConfigurationError(f"{source} names no intents.", hint="Give it an `intents:` mapping.")
        if OUT_OF_SCOPE in intents:
            raise ConfigurationError(f"{source}: '{OUT_OF_SCOPE}' is reserved for messages that fit no intent.")
        parsed_actions = {name: _parse_action(name, body, source) for name, body in actions.items()}
        return cls(
            tuple(_parse_policy(name, body, actions, source) for name, body in intents.items()),
            {name: description for name, (description, _) in parsed_actions.items()},
            {name: slots for name, (_, slots) in parsed_actions.items() if slots is not None},
        )

    @classmethod
    def read(cls, path: Path) -> Taxonomy:
        """Read a YAML (or JSON) file; raises `ConfigurationError` as `from_mapping` does."""
        data = read_yaml(path, "taxonomy")
        if not isinstance(data, dict):
            raise ConfigurationError(f"{path} must hold a mapping with `intents` and `actions`.")
        return cls.from_mapping(data, source=str(path))


def _parse_action(name: str, body: Any, source: str) -> tuple[str, tuple[str, ...] | None]:
    """Return the description of an action, and its slots; None where the team has not listed them."""
    if not isinstance(body, dict):
        return str(body), None
    if set(body) != _ACTION_FIELDS:
        raise ConfigurationError(
            f"{source}: action '{name}' must be a description, or have exactly {sorted(_ACTION_FIELDS)}."
        )
    slots = body["needs"]
    if not isinstance(slots, list) or any(slot not in SLOTS for slot in slots):
        raise ConfigurationError(f"{source}: `needs` of action '{name}' is {slots!r}.", hint=f"Use some of {SLOTS}.")
    return str(body["does"]), tuple(slots)


def _parse_policy(name: Any, body: Any, actions: Mapping[str, str], source: str) -> IntentPolicy:
    if not isinstance(name, str):
        raise ConfigurationError(f"{source}: the intent {name!r} is not text.", hint="Put its name in quotes.")
    if body is None:
        return IntentPolicy(name, is_defined=False)
    if not isinstance(body, dict):
        raise ConfigurationError(f"{source}: intent '{name}' must be a mapping, or empty for 'no policy yet'.")
    if unknown := sorted(set(body) - _POLICY_FIELDS):
        raise ConfigurationError(
            f"{source}: intent '{name}' has unknown fields {unknown}.", hint=f"Known: {sorted(_POLICY_FIELDS)}."
        )
    urgency = body.get("urgency", "medium")
    if urgency not in URGENCIES:
        raise ConfigurationError(f"{source}: urgency of '{name}' is '{urgency}'.", hint=f"Use one of {URGENCIES}.")
    action_names = tuple(body.get("actions") or ())
    if unknown_actions := [action for action in action_names if action not in actions]:
        raise ConfigurationError(
            f"{source}: '{name}' allows {unknown_actions}, which `actions:` does not describe.",
            hint="Add them to the closed list at the end of the file.",
        )
    return IntentPolicy(
        name=name,
        description=str(body.get("description", "")),
        urgency=urgency,
        automate=bool(body.get("automate", False)),
        escalate=bool(body.get("escalate", False)),
        actions=action_names,
    )
