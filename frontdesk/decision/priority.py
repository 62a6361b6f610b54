"""The priority of a message as a sum of points that a team lead can read and edit.

The points are data (`policy/priority.yaml`). Each part that applies is returned under its name in that file, with the
reason in words, and the parts always add up to the score. Cues are phrases in the masked text (`cues.py`); each counts
once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from frontdesk.decision.cues import CueMatcher, replace_placeholders
from frontdesk.decision.history_priority import HistoryPriorityPolicy
from frontdesk.decision.priority_file import MAX_SCORE, MIN_SCORE, parse_priority_policy
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory
from frontdesk.types import MaskedText, Priority, PriorityLevel, PriorityPart, Query, Understanding
from frontdesk.yaml_files import read_yaml

MAX_WAIT = timedelta(days=3653)
STARTER_POLICY = Path(__file__).parent.parent / "policy" / "priority.yaml"

# Shouting: in shorter texts, capitals are more often an abbreviation ("DHL?").
_MIN_LETTERS = 8
_MIN_CAPITAL_SHARE = 0.7
# A friendly letter of one page may have three exclamation marks too, so the number also depends on the length.
_MIN_EXCLAMATION_MARKS = 3
_CHARACTERS_PER_MARK = 100


@dataclass(frozen=True, slots=True)
class PriorityPolicy:
    """The team's points. `levels` has the minimum score of each level, lowest level first."""

    base: Mapping[str, float]
    sentiment: Mapping[str, float]
    tier: Mapping[str, float]
    waiting_points_per_hour: float
    waiting_at_most: float
    shouting: float
    history: HistoryPriorityPolicy
    levels: Mapping[PriorityLevel, float]
    cues: CueMatcher

    @classmethod
    def read(cls, path: Path) -> PriorityPolicy:
        """Read a priority.yaml.

        Raises:
            ConfigurationError: a key is missing, unknown or wrong; the message names the file and the key.
        """
        return cls(**parse_priority_policy(read_yaml(path, "priority policy"), str(path)))

    def score(
        self,
        query: Query,
        text: MaskedText,
        understanding: Understanding,
        urgency: str,
        now: datetime,
        history: CustomerHistory = EMPTY_HISTORY,
    ) -> Priority:
        """Return the priority of a message.

        Args:
            urgency: of the intent, by the taxonomy: one of `URGENCIES`.
            now: with a time zone. A naive `query.waiting_since` is taken as UTC; a time in the future counts as no
                wait, a wait longer than `MAX_WAIT` as `MAX_WAIT`.
            history: of the customer, before this message.

        Returns:
            The score between 0 and 100, its level, and the parts with points rounded to one decimal. Parts with zero
            points are omitted. If the sum is outside 0 to 100, an additional part corrects it.
        """
        message_parts = self._message_parts(query, text, understanding, urgency, now)
        customer_parts = self.history.parts(history, understanding.intent.label)
        parts = [part for part in (*message_parts, *customer_parts) if part.points]
        total = round(math.fsum(part.points for part in parts), 1)
        score = min(max(total, MIN_SCORE), MAX_SCORE)
        if score != total:
            parts.append(PriorityPart("limit", round(score - total, 1), f"the score is kept at {score:g}"))
        *_, level = (level for level, threshold in self.levels.items() if threshold <= score)
        return Priority(level, score, tuple(parts))

    def history_could_make_urgent(self, without_history: Priority) -> bool:
        """Whether an unavailable history could have made this message urgent."""
        urgent_score = self.levels[PriorityLevel.URGENT]
        return without_history.score < urgent_score <= without_history.score + self.history.max_points

    def _message_parts(
        self, query: Query, text: MaskedText, understanding: Understanding, urgency: str, now: datetime
    ) -> Iterable[PriorityPart]:
        yield _part(f"base.{urgency}", self.base[urgency], f"intent urgency is {urgency}")
        for label, probability in understanding.sentiment.scores.items():
            points = self.sentiment[label] * probability
            yield _part(f"sentiment.{label}", points, f"{label} with probability {probability:.2f}")
        tier = query.customer_tier.value
        yield _part(f"tier.{tier}", self.tier[tier], f"customer is {tier}")
        if query.waiting_since is not None:
            hours = _hours_between(query.waiting_since, now)
            points = min(hours * self.waiting_points_per_hour, self.waiting_at_most)
            yield _part("waiting", points, f"waiting for {hours:.1f} hours")
        words = replace_placeholders(text.text)
        if _is_shouting(words):
            yield _part("shouting", self.shouting, "written in capitals or with many exclamation marks")
        for cue in self.cues.find(words):
            yield _part(f"cues.{cue.name}", cue.points, cue.because)


def _part(name: str, points: float, because: str) -> PriorityPart:
    return PriorityPart(name, round(points, 1), because)


def _hours_between(since: datetime, now: datetime) -> float:
    """Return the hours between two times, from 0 to `MAX_WAIT`: an older time, such as 1970, is a mistake."""
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    return min(max(now - aware, timedelta()), MAX_WAIT).total_seconds() / 3600


def _is_shouting(words: str) -> bool:
    if words.count("!") >= max(_MIN_EXCLAMATION_MARKS, len(words) / _CHARACTERS_PER_MARK):
        return True
    capitals = sum(map(str.isupper, words))
    letters = capitals + sum(map(str.islower, words))
    return letters >= _MIN_LETTERS and capitals > _MIN_CAPITAL_SHARE * letters
