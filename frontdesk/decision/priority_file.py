"""Parser of priority.yaml, the file with the points of the priority. Every error names the file and the key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from frontdesk.decision.cues import CueMatcher, PriorityCue
from frontdesk.decision.history_priority import HistoryPriorityPolicy
from frontdesk.decision.phrases import parse_phrase
from frontdesk.errors import ConfigurationError
from frontdesk.taxonomy import SENTIMENTS, URGENCIES
from frontdesk.types import CustomerTier, PriorityLevel

MIN_SCORE, MAX_SCORE = 0.0, 100.0


def parse_priority_policy(data: Any, source: str) -> dict[str, Any]:
    """Return the fields of `PriorityPolicy` from the content of the file `source`.

    Raises:
        ConfigurationError: a key is missing, unknown or wrong; the message names the file and the key.
    """
    return _PolicyParser(source).policy(data)


_SECTIONS = ("base", "sentiment", "tier", "waiting", "shouting", "history", "levels", "cues")
_HISTORY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "repeated": ("points_each", "at_most"),
        "contacts": ("points", "from"),
        "escalated": ("points",),
        "dissatisfied": ("points", "below"),
    }
)


@dataclass(frozen=True, slots=True)
class _PolicyParser:
    """Parses plain data into a policy. Every error names the file and the key."""

    source: str

    def policy(self, data: Any) -> dict[str, Any]:
        sections = self._require_mapping(data, "", _SECTIONS)
        waiting = self._parse_numbers(sections["waiting"], "waiting", ("points_per_hour", "at_most"))
        return {
            "base": self._parse_numbers(sections["base"], "base", URGENCIES),
            "sentiment": self._parse_numbers(sections["sentiment"], "sentiment", SENTIMENTS),
            "tier": self._parse_numbers(sections["tier"], "tier", tuple(CustomerTier)),
            "waiting_points_per_hour": waiting["points_per_hour"],
            "waiting_at_most": waiting["at_most"],
            "shouting": self._parse_numbers(sections["shouting"], "shouting", ("points",))["points"],
            "history": self._history(sections["history"]),
            "levels": self._levels(sections["levels"]),
            "cues": CueMatcher.build(self._cues(sections["cues"])),
        }

    def _history(self, data: Any) -> HistoryPriorityPolicy:
        sections = self._require_mapping(data, "history", tuple(_HISTORY))
        numbers = {
            f"{name}_{key}": value
            for name, keys in _HISTORY.items()
            for key, value in self._parse_numbers(sections[name], f"history.{name}", keys).items()
        }
        return HistoryPriorityPolicy(**numbers)

    def _levels(self, data: Any) -> dict[PriorityLevel, float]:
        numbers = self._parse_numbers(data, "levels", tuple(PriorityLevel))
        levels = {level: numbers[level] for level in PriorityLevel}
        lowest, *_ = levels
        if levels[lowest] != MIN_SCORE:
            raise self._error(f"levels.{lowest}", f"must be {MIN_SCORE:g}, so that every score has a level")
        for lower, higher in pairwise(PriorityLevel):
            if levels[higher] <= levels[lower]:
                raise self._error(f"levels.{higher}", f"must be greater than levels.{lower} ({levels[lower]:g})")
        return levels

    def _cues(self, data: Any) -> tuple[PriorityCue, ...]:
        if not isinstance(data, dict):
            raise self._error("cues", "must be a mapping of cue names")
        return tuple(self._cue(str(name), body) for name, body in data.items())

    def _cue(self, name: str, data: Any) -> PriorityCue:
        key = f"cues.{name}"
        if isinstance(data, dict):
            data = {"unless": [], "deniable": True, **data}
        body = self._require_mapping(data, key, ("points", "because", "phrases", "unless", "deniable"))
        phrases = self._phrases(body["phrases"], f"{key}.phrases")
        if not phrases:
            raise self._error(f"{key}.phrases", "must be a list of at least one phrase")
        because = body["because"]
        if not isinstance(because, str) or not because.strip():
            raise self._error(f"{key}.because", "must say in words what the cue means")
        points = self._parse_number(body["points"], f"{key}.points")
        deniable = body["deniable"]
        if not isinstance(deniable, bool):
            raise self._error(f"{key}.deniable", f"must be true or false, not {deniable!r}")
        unless = self._phrases(body["unless"], f"{key}.unless")
        return PriorityCue(name, points, because, phrases, unless, deniable)

    def _phrases(self, data: Any, key: str) -> tuple[str, ...]:
        if not isinstance(data, list):
            raise self._error(key, "must be a list of phrases")
        for phrase in data:
            if not isinstance(phrase, str) or not parse_phrase(phrase):
                raise self._error(key, f"holds {phrase!r}, which is not text; put it in quotes")
        return tuple(data)

    def _parse_numbers(self, data: Any, key: str, names: tuple[str, ...]) -> dict[str, float]:
        body = self._require_mapping(data, key, names)
        return {str(name): self._parse_number(body[name], f"{key}.{name}") for name in names}

    def _parse_number(self, value: Any, key: str) -> float:
        # In YAML `yes` is a bool, which is an int in Python. Comparisons with .nan and .inf would give wrong results.
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._error(key, f"must be a number, not {value!r}")
        return float(value)

    def _require_mapping(self, data: Any, key: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Check that `data` is a mapping with exactly `names`. `key`: its key in the file, empty for the whole file."""
        prefix = f"{key}." if key else ""
        if not isinstance(data, dict):
            raise self._error(key or "the file", f"must be a mapping with {', '.join(names)}")
        for name in data:
            if name not in names:
                raise self._error(f"{prefix}{name}", "is unknown", hint=f"Known: {', '.join(names)}.")
        for name in names:
            if name not in data:
                raise self._error(f"{prefix}{name}", "is missing")
        return data

    def _error(self, key: str, problem: str, hint: str = "") -> ConfigurationError:
        return ConfigurationError(f"{self.source}: {key} {problem}.", hint=hint)
