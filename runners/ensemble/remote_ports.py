"""Interfaces of the models of an ensemble that run in other processes; implemented in `remote/remote_members.py`.

Remote members and scorers are called in two steps: `send` starts the call and does not wait, then `scores` or
`probabilities` return the results. All processes therefore work in parallel, and each service is called once per batch.
If a service is unavailable, `send` raises immediately; if it fails later, the second step raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from frontdesk.scores import Floats
from runners.models.base_model import Member, ModelBatch
from runners.models.calibration import Doubles


class MetaLearnerScorer(Protocol):
    """The meta-learner for one task: (members, texts, labels) and (texts, statistics) -> (texts, labels)."""

    def probabilities(self, members: Floats, statistics: Floats) -> Doubles: ...


class MemberService(Protocol):
    """Members that share a service; their scores are for the last batch that was sent.

    `send` starts all members, or `only` one, and raises `Overloaded` if the service is unavailable.
    """

    @property
    def name(self) -> str: ...

    @property
    def members(self) -> tuple[Member, ...]: ...

    def is_up(self) -> bool: ...

    def send(self, batch: ModelBatch, only: str | None = None) -> None: ...


class MetaLearnerService(Protocol):
    """The scorers for intent and sentiment in one service; their results are for the last member scores sent."""

    @property
    def scorers(self) -> tuple[MetaLearnerScorer, MetaLearnerScorer]: ...

    def is_up(self) -> bool: ...

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None: ...


@dataclass(frozen=True, slots=True)
class RemoteServices:
    """The models that are not in this process; empty in placement `embedded`."""

    members: tuple[MemberService, ...] = ()
    meta_learner: MetaLearnerService | None = None


NO_REMOTE_SERVICES = RemoteServices()
