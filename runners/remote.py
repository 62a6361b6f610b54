"""Members and a meta-learner that live in another process: the ports of `elsewhere.py` over a line to their service.

Each service is sent one call a batch; its answer holds the scores of all that it owns. Not for several threads.
Knows nothing of how bytes travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from frontdesk.scores import Floats, Scores
from runners.elsewhere import Scorer
from runners.models.calibration import Doubles
from runners.models.member import Batch, Member
from runners.wire import Arrays, pack, scores_from_arrays, unpack


class Line(Protocol):
    """One call at a time: what was sent, then its answer."""

    def send(self, body: bytes) -> None: ...

    def receive(self) -> bytes: ...


class RemoteMembers:
    """All members of one service. `encode` picks what they read of a batch."""

    def __init__(self, line: Line, names: Sequence[str], encode: Callable[[Batch], Arrays]) -> None:
        self.members: tuple[Member, ...] = tuple(_RemoteMember(name, self) for name in names)
        self._line = line
        self._names = names
        self._encode = encode
        self._scores: Mapping[str, Scores] = {}

    def send(self, batch: Batch) -> None:
        """Begin to score a batch; raises `Overloaded` where the service is away."""
        self._scores = {}
        self._line.send(pack(self._encode(batch)))

    def scores(self, name: str) -> Scores:
        """What `name` says of the batch that was sent; the first who asks waits for the answer."""
        if not self._scores:
            self._scores = scores_from_arrays(unpack(self._line.receive()), self._names)
        return self._scores[name]


@dataclass(frozen=True, slots=True)
class _RemoteMember:
    """Implements `Member` for a batch that its service has been sent."""

    name: str
    service: RemoteMembers

    def scores(self, _: Batch) -> Scores:
        return self.service.scores(self.name)


class RemoteMetaLearner:
    """Both candidate scorers in one service."""

    def __init__(self, line: Line) -> None:
        self.scorers: tuple[Scorer, Scorer] = (_RemoteScorer("intent", self), _RemoteScorer("sentiment", self))
        self._line = line
        self._answer: Mapping[str, NDArray[Any]] = {}

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None:
        """Begin with (members, texts, labels) of both tasks; raises `Overloaded` where the service is away."""
        self._answer = {}
        self._line.send(pack({"intent": intent, "sentiment": sentiment, "statistics": statistics}))

    def probabilities(self, task: str) -> Doubles:
        if not self._answer:
            self._answer = unpack(self._line.receive())
        return self._answer[task]


@dataclass(frozen=True, slots=True)
class _RemoteScorer:
    """Implements `Scorer` for members' scores that its service has been sent."""

    task: str
    service: RemoteMetaLearner

    def probabilities(self, _: Floats, __: Floats) -> Doubles:
        return self.service.probabilities(self.task)
