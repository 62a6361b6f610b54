"""What of an ensemble other processes hold: ports that the ensemble calls, implemented in `remote.py`.

Members and scorers elsewhere are asked in two steps: `send` begins and does not wait, then `scores` or `probabilities`
of each give the answer. So all processes are at work at once, and a service is called once a batch, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from frontdesk.scores import Floats
from runners.models.calibration import Doubles
from runners.models.member import Batch, Member


class Scorer(Protocol):
    """The meta-learner for one task: (members, texts, labels) and (texts, statistics) -> (texts, labels)."""

    def probabilities(self, members: Floats, statistics: Floats) -> Doubles: ...


class MembersElsewhere(Protocol):
    """Members that share a service; they answer for the batch that was sent."""

    @property
    def members(self) -> tuple[Member, ...]: ...

    def send(self, batch: Batch) -> None: ...


class MetaLearnerElsewhere(Protocol):
    """The scorers of intent and sentiment in one service; they answer for the members' scores that were sent."""

    @property
    def scorers(self) -> tuple[Scorer, Scorer]: ...

    def send(self, intent: Floats, sentiment: Floats, statistics: Floats) -> None: ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Everything that is not in this process; nothing in placement `embedded`."""

    members: tuple[MembersElsewhere, ...] = ()
    meta_learner: MetaLearnerElsewhere | None = None


NOTHING = Elsewhere()
