"""An ensemble in parts that services hold: some members behind each, and the meta-learner in the gateway.

What members say crosses as one float32 row a text: of each member its intents, its three sentiments, and of an encoder
also the mean and the entropy of its dropout samples. Knows nothing of services.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.peers.model import bundle, precision, to_python
from frontdesk.features.row import FeatureRows
from frontdesk.features.statistics import statistics
from frontdesk.scores import Floats, Sampled, Scores
from runners.ensemble.ensemble import Ensemble, load_features, load_member, load_scorers
from runners.models.base_model import Batch
from runners.models.calibration import Calibration
from runners.models.encoder import ENCODER_MEMBERS

Names = tuple[str, ...]
"""Of the members that a service holds, in the order of their scores."""

SENTIMENTS = 3
NO_FEATURES = FeatureRows((), np.empty((0, 0), np.float32))


class Part:
    """Members of the bundle, and its features where one of them reads features."""

    def __init__(self, names: Names) -> None:
        opened = bundle()
        folder = opened.path / "members"
        self._members = [load_member(name, folder, threads=1, precision=precision()) for name in names]
        self._features = None if set(names) <= set(ENCODER_MEMBERS) else load_features(opened)

    def rows(self, texts: Sequence[str]) -> Floats:
        features = self._features.rows(texts) if self._features else NO_FEATURES
        batch = Batch(texts, features, sampling=True)
        return to_rows([member.scores(batch) for member in self._members])


class Gateway:
    """What is left to do once all parts have answered for a text."""

    def __init__(self) -> None:
        opened = bundle()
        intent_scorer, sentiment_scorer = load_scorers(opened, threads=1)
        self._names, self._intents = opened.manifest.members, len(opened.manifest.intents)
        self._ensemble = Ensemble(
            version=opened.version,
            taxonomy=opened.taxonomy(),
            sentiments=opened.manifest.sentiments,
            features=_Statistics(),  # type: ignore[arg-type]  # all that the meta-learner reads of the features
            members=(),
            intent_scorer=intent_scorer,
            sentiment_scorer=sentiment_scorer,
            calibration=Calibration.load(opened.path / "calibration.json"),
        )

    def understanding(self, text: str, said: Mapping[Names, Floats]) -> dict[str, Any]:
        """Of one text; `said` holds the row of each part by its members' names."""
        scores: dict[str, Scores] = {}
        for names, row in said.items():
            scores |= zip(names, to_scores(row, names, self._intents), strict=True)
        members = tuple(_Said(name, scores[name]) for name in self._names)
        (understanding,) = replace(self._ensemble, members=members).understand([text])
        return to_python(understanding)


@dataclass(frozen=True, slots=True)
class _Said:
    """A member whose scores are there already."""

    name: str
    said: Scores

    def scores(self, _: Batch) -> Scores:
        return self.said


class _Statistics:
    def rows(self, texts: Sequence[str]) -> FeatureRows:
        return FeatureRows((), np.stack([statistics(text) for text in texts]))


def to_rows(members: Sequence[Scores]) -> Floats:
    """(texts, columns) float32 of what the members say, one after another."""
    parts: list[Floats] = []
    for scores in members:
        parts += [scores.intent, scores.sentiment]
        if scores.sampled is not None:
            parts += [scores.sampled.mean, scores.sampled.entropy[:, None]]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def to_scores(rows: Floats, members: Sequence[str], intents: int) -> Iterator[Scores]:
    """What `to_rows` was given, for members of these names and so many intents."""
    at = 0
    for name in members:
        sampled = None
        intent, sentiment = rows[:, at : at + intents], rows[:, at + intents : at + intents + SENTIMENTS]
        at += intents + SENTIMENTS
        if name in ENCODER_MEMBERS:
            sampled = Sampled(rows[:, at : at + intents], rows[:, at + intents])
            at += intents + 1
        yield Scores(intent, sentiment, sampled)
