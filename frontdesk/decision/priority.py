"""The priority of a message as a sum of points that a team lead can read and edit.

The points are data (`policy/priority.yaml`). Each part that applies is returned under its name in that file, with the
reason in words, and the parts always add up to the score. Cues are phrases in the masked text. Each cue is one regular
expression, so that it counts once. Calming cues, with zero or negative points, are matched first, and their text is
removed before other cues are matched: "not urgent" does not count as "urgent".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from frontdesk.decision.history_priority import HistoryPriorityPolicy
from frontdesk.errors import ConfigurationError
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory
from frontdesk.taxonomy import SENTIMENTS, URGENCIES
from frontdesk.types import CustomerTier, MaskedText, Priority, PriorityLevel, PriorityPart, Query, Understanding
from frontdesk.yaml_files import read_yaml

MAX_WAIT = timedelta(days=3653)
MIN_SCORE, MAX_SCORE = 0.0, 100.0
STARTER_POLICY = Path(__file__).parent.parent / "policy" / "priority.yaml"

# Placeholders are replaced, because their capitals are not written by the customer. The substitute is neither a letter
# nor a space, so that no phrase matches across it.
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*_\d+\]")
_SUBSTITUTE = "[]"
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´`", "'"))

# Words that may be between a negation and the negated word. Not any word: "do not ignore this urgent message".
_MODIFIERS = (
    "a|absolutely|all|an|any|at|be|big|by|especially|exactly|extremely|great|high|high-priority|huge|immediate|in|major|"
    "means|overly|particularly|priority|real|really|so|super|terribly|that|the|too|very"
)
_GAP = re.compile(r"\s+\.\.\.\s+")
_GAP_PATTERN = rf"(?:\s+(?:{_MODIFIERS})){{0,3}}\s+"

# Shouting: in shorter texts, capitals are more often an abbreviation ("DHL?").
_MIN_LETTERS = 8
_MIN_CAPITAL_SHARE = 0.7
# A friendly letter of one page may have three exclamation marks too, so the number also depends on the length.
_MIN_EXCLAMATION_MARKS = 3
_CHARACTERS_PER_MARK = 100


@dataclass(frozen=True, slots=True)
class PriorityCue:
    """Phrases that indicate haste, harm or patience. If any of them occurs, the cue gives `points`, once."""

    name: str
    points: float
    because: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class PriorityPolicy:
    """The team's points. `levels` has the minimum score of each level, lowest level first.

    `calming` are the cues with zero or negative points. They are matched first, and the matched text is removed.
    """

    base: Mapping[str, float]
    sentiment: Mapping[str, float]
    tier: Mapping[str, float]
    waiting_points_per_hour: float
    waiting_at_most: float
    shouting: float
    history: HistoryPriorityPolicy
    levels: Mapping[PriorityLevel, float]
    calming: tuple[PriorityCue, ...]
    cues: tuple[PriorityCue, ...]

    @classmethod
    def read(cls, path: Path) -> PriorityPolicy:
        """Read a priority.yaml.

        Raises:
            ConfigurationError: a key is missing, unknown or wrong; the message names the file and the key.
        """
        return _PolicyParser(str(path)).policy(read_yaml(path, "priority policy"))

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
        words = _PLACEHOLDER.sub(_SUBSTITUTE, text.text)
        if _is_shouting(words):
            yield _part("shouting", self.shouting, "written in capitals or with many exclamation marks")
        words = fold_text(words)
        for cue in self.calming:
            words, count = cue.pattern.subn(_SUBSTITUTE, words)
            if count:
                yield _part(f"cues.{cue.name}", cue.points, cue.because)
        for cue in self.cues:
            if cue.pattern.search(words):
                yield _part(f"cues.{cue.name}", cue.points, cue.because)


def fold_text(text: str) -> str:
    """`text` in the form that patterns of `compile_phrases` match: case folded, with straight apostrophes."""
    return text.casefold().translate(_APOSTROPHES)


def compile_phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    """Compile phrases into one pattern for text from `fold_text`, on word boundaries, with any white space in between.

    A word that ends in `*` matches every ending. `...` between two words matches up to three modifiers, such as
    "a very". Everything else is literal.
    """
    by_first: dict[str, list[str]] = {}
    for phrase in phrases:
        folded = fold_text(phrase).strip()
        by_first.setdefault(folded[0], []).append(_phrase_pattern(folded)[len(re.escape(folded[0])) :])
    # Alternatives are grouped by their first letter, so that the matcher can skip all other letters: 11 microseconds
    # for nine cues and 100 characters, against 18 with the boundary in front and 46 with IGNORECASE. The boundaries are
    # not \b, which never matches next to a phrase that starts or ends with a sign, such as "c++".
    groups = (
        rf"{first}(?<!\w{first})(?:{'|'.join(rests)})"
        for first, rests in ((re.escape(first), rests) for first, rests in by_first.items())
    )
    return re.compile(rf"(?:{'|'.join(groups)})(?!\w)")


def _phrase_pattern(folded: str) -> str:
    return _GAP_PATTERN.join(r"\s+".join(map(_word_pattern, run.split())) for run in _GAP.split(folded))


def _word_pattern(word: str) -> str:
    if len(word) > 1 and word.endswith("*"):
        return re.escape(word[:-1]) + r"\w*"
    return re.escape(word)


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

    def policy(self, data: Any) -> PriorityPolicy:
        sections = self._require_mapping(data, "", _SECTIONS)
        waiting = self._parse_numbers(sections["waiting"], "waiting", ("points_per_hour", "at_most"))
        cues = self._cues(sections["cues"])
        return PriorityPolicy(
            base=self._parse_numbers(sections["base"], "base", URGENCIES),
            sentiment=self._parse_numbers(sections["sentiment"], "sentiment", SENTIMENTS),
            tier=self._parse_numbers(sections["tier"], "tier", tuple(CustomerTier)),
            waiting_points_per_hour=waiting["points_per_hour"],
            waiting_at_most=waiting["at_most"],
            shouting=self._parse_numbers(sections["shouting"], "shouting", ("points",))["points"],
            history=self._history(sections["history"]),
            levels=self._levels(sections["levels"]),
            calming=tuple(cue for cue in cues if cue.points <= 0),
            cues=tuple(cue for cue in cues if cue.points > 0),
        )

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
        body = self._require_mapping(data, key, ("points", "because", "phrases"))
        phrases = body["phrases"]
        if not isinstance(phrases, list) or not phrases:
            raise self._error(f"{key}.phrases", "must be a list of at least one phrase")
        for phrase in phrases:
            if not isinstance(phrase, str) or not phrase.strip():
                raise self._error(f"{key}.phrases", f"holds {phrase!r}, which is not text; put it in quotes")
        because = body["because"]
        if not isinstance(because, str) or not because.strip():
            raise self._error(f"{key}.because", "must say in words what the cue means")
        return PriorityCue(name, self._parse_number(body["points"], f"{key}.points"), because, compile_phrases(phrases))

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
