"""Scenarios and their outcomes: the verdict on the history, and the measured time limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model_store.bundle import Bundle
from tests.faults.history import Verdict
from tests.support.postgresql import PostgreSql
from tests.support.redis_server import RedisServer

SHOWN = 3


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Size of a scenario: number of faults, acknowledged requests around each fault, duration of each fault."""

    faults: int
    requests_each: int
    outage_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources of scenarios. `folder` is empty; real servers are started on first use."""

    bundle: Bundle
    folder: Path
    postgresql: Callable[[], PostgreSql]
    redis: Callable[[], RedisServer]
    log: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A measured value and its upper limit."""

    what: str
    at_most: float
    measured: float

    @property
    def is_met(self) -> bool:
        return self.measured <= self.at_most


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of a scenario. `faults` counts kills, freezes or outages that really happened."""

    faults: int
    verdict: Verdict
    time_limits: tuple[TimeLimit, ...] = ()

    def failures(self) -> list[str]:
        """Return the violations as sentences that are short enough for an assertion; empty if there are none."""
        return [*self._wrong(), *self._broken()]

    def _wrong(self) -> Iterator[str]:
        for name in ("lost", "doubled", "phantom", "differing", "disordered"):
            if violations := getattr(self.verdict, name):
                yield f"{len(violations)} {name}: {'; '.join(violations[:SHOWN])}"
        if self.verdict.undelivered:
            yield f"{self.verdict.undelivered} left behind in spool and outbox"

    def _broken(self) -> Iterator[str]:
        for limit in self.time_limits:
            if not limit.is_met:
                yield f"{limit.what}: {limit.measured:.3f}, promised was at most {limit.at_most:.3f}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of fault. `missing` returns why it cannot run on this machine, or None.

    The short form of a `nightly` scenario is not part of `make test`.
    """

    name: str
    run: Callable[[Resources, FaultPlan], Outcome]
    short: FaultPlan
    long: FaultPlan
    missing: Callable[[], str | None] = lambda: None
    nightly: bool = False

    @property
    def slug(self) -> str:
        """The name as an argument of the command line and as a test id."""
        return self.name.replace(" ", "-")
