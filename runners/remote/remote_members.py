"""Base models and a meta-learner in another process: the ports of `ensemble/remote_ports.py` over a connection.

Each service is sent one call a batch; its answer holds the scores of all that it owns. Not for several threads.
Knows nothing of how bytes travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frontdesk.scores import Floats, Scores
from runners.ensemble.remote_ports import Scorer
from runners.models.base_model import Batch, Member
from runners.models.calibration import Doubles
from runners.remote.tensor_codec import Arrays, pack, scores_from_arrays, unpack


class RunnerChannel(Protocol):
    """One call at a time: what was sent, then its answer. `is_up` may be asked meanwhile, from another thread."""

    def is_up(self) -> bool: ...

    def send(self, body: bytes) -> None: ...

    def receive(self) -> bytes: ...


class RemoteMembers:
    """The service `name`, with all its `members` in the order of the bundle.

    `encode` picks what they read of a batch.
    """

    def __init__(
        self, name: str, channel: RunnerChannel, members: Sequence[str], encode: Callable[[Batch], Arrays]
    ) -> None:
        self.name = name
        self.members: tuple[Member, ...] = tuple(_RemoteMember(member, self) for member in members)
        self._channel = channel
        self._encode = encode
        self._requested: Sequence[str] = ()
        self._scores: Mapping[str, Scores] = {}

    def is_up(self) -> bool:
        """Is the service there?"""
        return self._channel.is_up()

    def send(self, batch: Batch, only: str | None = None) -> None:
        """Begin to score a batch, by `only` one member where it is named.

        Raises:
            Overloaded: the service is away.
        """
        names = [member.name for member in self.members]
        self._scores, self._requested = {}, [name for name in names if only in (None, name)]
        mask = np.array([name in self._requested for name in names], np.uint8)
        self._channel.send(pack({**self._encode(batch), "wanted": mask}))

    def scores(self, name: str) -> Scores:
        """What `name` says of the batch that was sent; the first who asks waits for the answer."""
        if not self._scores:
            self._scores = scores_from_arrays(unpack(self._channel.receive()), self._requested)
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

    def __init__(self, channel: RunnerChannel) -> None:
        self.scorers: tuple[Scorer, Scorer] = (_RemoteScorer("intent", self), _RemoteScorer("sentiment", self))
        self._channel = channel
        self._answer: Mapping[str, NDArray[Any]] = {}

    def is_up(self) -> bool:
        """Is the service there?"""
        return self._channel.is_up()

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None:
        """Begin with (members, texts, labels) of both tasks; raises `Overloaded` where the service is away."""
        self._answer = {}
        self._channel.send(pack({"intent": intent, "sentiment": sentiment, "statistics": statistics}))

    def probabilities(self, task: str) -> Doubles:
        if not self._answer:
            self._answer = unpack(self._channel.receive())
        return self._answer[task]


@dataclass(frozen=True, slots=True)
class _RemoteScorer:
    """Implements `Scorer` for members' scores that its service has been sent."""

    task: str
    service: RemoteMetaLearner

    def probabilities(self, _: Floats, __: Floats) -> Doubles:
        return self.service.probabilities(self.task)
