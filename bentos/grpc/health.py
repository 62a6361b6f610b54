"""grpc.health.v1.Health: whether the server answers. No client can delay another one's answer.

A watcher waits for an event, not for a lock, and each message is written on its own time.
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from typing import Any

from grpc_health.v1 import health_pb2

from bentos.gateway.door import BUSY_S
from bentos.grpc.admission import Behaviour, Call
from bentos.grpc.slots import Slots
from frontdesk.errors import NotFound, Overloaded

MOST_WATCHERS = 256
"""A further one ends the oldest of the address that has the most."""

_Status = health_pb2.HealthCheckResponse


class HealthService:
    """The health of `names`, and of the server as a whole under the empty name."""

    descriptor = health_pb2.DESCRIPTOR.services_by_name["Health"]

    def __init__(self, names: Iterable[str], most_watchers: int = MOST_WATCHERS) -> None:
        self._states: dict[str, int] = dict.fromkeys(("", *names), _Status.SERVING)
        self._changes: set[asyncio.Event] = set()
        self._watchers = Slots(most_watchers)

    def methods(self) -> dict[str, Behaviour]:
        return {"Check": self.check, "List": self.list, "Watch": self.watch}

    def set_not_serving(self) -> None:
        """Report NOT_SERVING for all services from now on, also to those that watch."""
        self._states = dict.fromkeys(self._states, _Status.NOT_SERVING)
        for changed in self._changes:
            changed.set()

    async def check(self, request: Any, _: Call) -> Any:
        if (status := self._states.get(request.service)) is None:
            raise NotFound("There is no service of this name.")
        return _Status(status=status)

    async def list(self, _: Any, __: Call) -> Any:
        statuses = {name: _Status(status=status) for name, status in self._states.items()}
        return health_pb2.HealthListResponse(statuses=statuses)

    async def watch(self, request: Any, call: Call) -> AsyncIterator[Any]:
        """The status now and after each change; SERVICE_UNKNOWN for a name that is not known."""
        changed = asyncio.Event()
        surplus = False

        def end(_: bool) -> None:
            nonlocal surplus
            surplus = True
            changed.set()

        slot = self._watchers.take(call.client or "", math.inf, end)
        self._changes.add(changed)
        last: int | None = None
        try:
            while not surplus:
                changed.clear()
                status = self._states.get(request.service, _Status.SERVICE_UNKNOWN)
                if status != last:
                    last = status
                    yield _Status(status=status)
                await changed.wait()
        finally:
            self._changes.discard(changed)
            self._watchers.remove(slot)
        raise Overloaded("Too many clients watch the health.", retry_after_s=BUSY_S, hint="Try again later.")
