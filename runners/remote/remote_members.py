"""Base models and a meta-learner in another process; implements `ensemble/remote_ports.py` over a connection.

Each service gets one call per batch, whose response contains the scores of all its models. Not thread-safe. Independent
of the transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frontdesk.scores import Floats, Scores
from runners.ensemble.remote_ports import MetaLearnerScorer
from runners.models.base_model import Member, ModelBatch
from runners.models.calibration import Doubles
from runners.remote.tensor_codec import Arrays, pack, scores_from_arrays, unpack


class RunnerChannel(Protocol):
    """A connection with one call at a time: `send`, then `receive`. `is_up` may be called from another thread."""

    def is_up(self) -> bool: ...

    def send(self, body: bytes) -> None: ...

    def receive(self) -> bytes: ...


class RemoteMembers:
    """The service `name`, with its `members` in the order of the bundle.

    `encode` returns the arrays of a batch that the members need.
    """

    def __init__(
        self, name: str, channel: RunnerChannel, members: Sequence[str], encode: Callable[[ModelBatch], Arrays]
    ) -> None:
        self.name = name
        self.members: tuple[Member, ...] = tuple(_RemoteMember(member, self) for member in members)
        self._channel = channel
        self._encode = encode
        self._requested: Sequence[str] = ()
        self._scores: Mapping[str, Scores] = {}

    def is_up(self) -> bool:
        """Whether the service is up."""
        return self._channel.is_up()

    def send(self, batch: ModelBatch, only: str | None = None) -> None:
        """Start to score a batch, by all members or by `only` one.

        Raises:
            Overloaded: the service is unavailable.
        """
        names = [member.name for member in self.members]
        self._scores, self._requested = {}, [name for name in names if only in (None, name)]
        mask = np.array([name in self._requested for name in names], np.uint8)
        self._channel.send(pack({**self._encode(batch), "wanted": mask}))

    def scores(self, name: str) -> Scores:
        """Return the scores of the member `name` for the last batch. The first call waits for the response."""
        if not self._scores:
            self._scores = scores_from_arrays(unpack(self._channel.receive()), self._requested)
        return self._scores[name]


@dataclass(frozen=True, slots=True)
class _RemoteMember:
    """Implements `Member` for the batch that was sent to its service."""

    name: str
    service: RemoteMembers

    def scores(self, _: ModelBatch) -> Scores:
        return self.service.scores(self.name)


class RemoteMetaLearner:
    """Both candidate scorers in one service."""

    def __init__(self, channel: RunnerChannel) -> None:
        self.scorers: tuple[MetaLearnerScorer, MetaLearnerScorer] = (
            _RemoteScorer("intent", self),
            _RemoteScorer("sentiment", self),
        )
        self._channel = channel
        self._answer: Mapping[str, NDArray[Any]] = {}

    def is_up(self) -> bool:
        """Whether the service is up."""
        return self._channel.is_up()

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None:
        """Start to score (members, texts, labels) of both tasks; raises `Overloaded` if the service is unavailable."""
        self._answer = {}
        self._channel.send(pack({"intent": intent, "sentiment": sentiment, "statistics": statistics}))

    def probabilities(self, task: str) -> Doubles:
        if not self._answer:
            self._answer = unpack(self._channel.receive())
        return self._answer[task]


@dataclass(frozen=True, slots=True)
class _RemoteScorer:
    """Implements `MetaLearnerScorer` for the member scores that were sent to its service."""

    task: str
    service: RemoteMetaLearner

    def probabilities(self, _: Floats, __: Floats) -> Doubles:
        return self.service.probabilities(self.task)
