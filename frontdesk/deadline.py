"""The deadline of a request: an immutable value that is passed along with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from frontdesk.errors import DeadlineExceeded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is the time on the monotonic clock, in seconds, after which the caller no longer waits for the answer."""

    at: float
    started_at: float = field(default_factory=time.monotonic, compare=False)
    """Start of the request, on the same clock."""

    @classmethod
    def after(cls, seconds: float, started_at: float | None = None) -> Deadline:
        """Return the deadline `seconds` from now. `started_at`: start of the request (monotonic clock, default now)."""
        now = time.monotonic()
        return cls(now + seconds, now if started_at is None else started_at)

    def elapsed_s(self) -> float:
        """Seconds since the start of the request."""
        return time.monotonic() - self.started_at

    def remaining_s(self) -> float:
        return self.at - time.monotonic()

    def check(self, activity: str) -> None:
        """Raise `DeadlineExceeded` if the deadline has passed. `activity` is for the message, e.g. "it was sent"."""
        if self.remaining_s() <= 0:
            raise _deadline_exceeded(activity)

    async def wait_for(self, work: Awaitable[T], activity: str) -> T:
        """Await `work` until the deadline, else cancel it and raise `DeadlineExceeded` with `activity`."""
        remaining = self.remaining_s()
        try:
            async with asyncio.timeout(max(remaining, 0.0)):
                return await work
        except TimeoutError:
            raise _deadline_exceeded(activity) from None


def _deadline_exceeded(activity: str) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"The deadline passed while {activity}.", hint="Allow more time, or send fewer requests at once."
    )
