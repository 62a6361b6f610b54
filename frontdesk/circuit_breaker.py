"""Circuit breaker: stop calling a dependency for a while after too many calls failed or were slow.

    closed --(half of the last calls bad)--> open --(open_s later)--> half-open --(probes good)--> closed
                                              ^                          |
                                              +------(a probe bad)-------+

A call is bad if it failed or was slow. The window holds the last `max_calls` calls within `window_s`: the limit on
calls ensures that earlier successes of a busy dependency do not hide a failure, the limit on time that old failures of
a rarely used one expire. An instance is used from one event loop and has no lock. It does not know the dependency.
Source: M. Nygard, Release It!, 2nd edition, section 5.2.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf


class CircuitState(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """The circuit opens when the window has at least `min_calls`, and `bad_share` of them failed or took `slow_s`.

    `probes`: number of successful calls, one at a time, that close a half-open circuit.
    """

    slow_s: float
    open_s: float = 5.0
    window_s: float = 60.0
    max_calls: int = 20
    min_calls: int = 5
    bad_share: float = 0.5
    probes: int = 2

    @classmethod
    def consecutive(cls, failures: int, open_s: float) -> BreakerLimits:
        """Open after this number of consecutive failures, regardless of time; one success closes the circuit."""
        return cls(
            slow_s=inf, open_s=open_s, window_s=inf, max_calls=failures, min_calls=failures, bad_share=1.0, probes=1
        )


OPTIONAL_DEPENDENCY = BreakerLimits.consecutive(failures=3, open_s=1.0)
"""For optional dependencies with a short time-out: three requests wait for it, then one in each second."""


@dataclass(frozen=True, slots=True)
class CallPermit:
    """Permission for one call. Return it with exactly one of `record_success`, `record_failure` and `discard`."""

    generation: int
    started_at: float


class CircuitBreaker:
    """`observe` is called with each new state."""

    def __init__(
        self,
        limits: BreakerLimits,
        *,
        observe: Callable[[CircuitState], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._state = CircuitState.CLOSED
        self._generation = 0
        self._opened_at = 0.0
        self._calls: deque[tuple[float, bool]] = deque(maxlen=limits.max_calls)
        self._probing = 0
        self._good_probes = 0

    @property
    def state(self) -> CircuitState:
        return self._state

    def admit(self) -> CallPermit | None:
        """Return a permit for one call, or None if the dependency must not be called now."""
        now = self._clock()
        if self._state is CircuitState.OPEN and now - self._opened_at >= self._limits.open_s:
            self._enter(CircuitState.HALF_OPEN)
        if self._state is CircuitState.OPEN:
            return None
        if self._state is CircuitState.HALF_OPEN:
            if self._probing:
                return None  # one probe at a time, to protect a dependency that has just recovered
            self._probing += 1
        return CallPermit(self._generation, now)

    def record_success(self, permit: CallPermit, seconds: float | None = None) -> None:
        """Record a success; a slow one counts as bad. `seconds`: duration of the call, default: since `admit`."""
        duration_s = self._clock() - permit.started_at if seconds is None else seconds
        self._record(permit, bad=duration_s >= self._limits.slow_s)

    def record_failure(self, permit: CallPermit) -> None:
        """Record a failure of the dependency."""
        self._record(permit, bad=True)

    def discard(self, permit: CallPermit) -> None:
        """Return the permit without an outcome: the caller cancelled the call, or the request was invalid."""
        if permit.generation == self._generation and self._state is CircuitState.HALF_OPEN:
            self._probing -= 1

    def _record(self, permit: CallPermit, *, bad: bool) -> None:
        if permit.generation != self._generation:
            return  # the call started before the last change of state
        if self._state is CircuitState.HALF_OPEN:
            self._record_probe(bad=bad)
            return
        now = self._clock()
        self._calls.append((now, bad))
        while self._calls[0][0] < now - self._limits.window_s:
            self._calls.popleft()
        bad_calls = sum(was_bad for _, was_bad in self._calls)
        if len(self._calls) >= self._limits.min_calls and bad_calls >= self._limits.bad_share * len(self._calls):
            self._enter(CircuitState.OPEN)

    def _record_probe(self, *, bad: bool) -> None:
        self._probing -= 1
        self._good_probes += not bad
        if bad:
            self._enter(CircuitState.OPEN)
        elif self._good_probes >= self._limits.probes:
            self._enter(CircuitState.CLOSED)

    def _enter(self, state: CircuitState) -> None:
        self._state = state
        self._generation += 1
        self._probing = self._good_probes = 0
        self._calls.clear()
        if state is CircuitState.OPEN:
            self._opened_at = self._clock()
        self._observe(state)
