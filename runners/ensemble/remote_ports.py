"""What of an ensemble other processes hold: ports that the ensemble calls, implemented in `remote/remote_members.py`.

Members and scorers elsewhere are asked in two steps: `send` begins and does not wait, then `scores` or `probabilities`
of each give the answer. So all processes are at work at once, and a service is called once a batch, whatever it holds.
A service that is away says so at once, in `send`; one that goes away later fails the answers that it owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from frontdesk.scores import Floats
from runners.models.base_model import Batch, Member
from runners.models.calibration import Doubles


class Scorer(Protocol):
    """The meta-learner for one task: (members, texts, labels) and (texts, statistics) -> (texts, labels)."""

    def probabilities(self, members: Floats, statistics: Floats) -> Doubles: ...


class MemberService(Protocol):
    """Members that share a service; they answer for the batch that was sent.

    `send` puts all of them to work, or `only` the one that is named, and raises `Overloaded` where the service is away.
    """

    @property
    def name(self) -> str: ...

    @property
    def members(self) -> tuple[Member, ...]: ...

    def is_up(self) -> bool: ...

    def send(self, batch: Batch, only: str | None = None) -> None: ...


class MetaLearnerService(Protocol):
    """The scorers of intent and sentiment in one service; they answer for the members' scores that were sent."""

    @property
    def scorers(self) -> tuple[Scorer, Scorer]: ...

    def is_up(self) -> bool: ...

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None: ...


@dataclass(frozen=True, slots=True)
class RemoteServices:
    """Everything that is not in this process; nothing in placement `embedded`."""

    members: tuple[MemberService, ...] = ()
    meta_learner: MetaLearnerService | None = None


NO_REMOTE_SERVICES = RemoteServices()
