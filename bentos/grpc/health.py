"""grpc.health.v1.Health: the serving status of the server and its services.

Each watcher has its own event and write, so a client that does not read cannot delay others.
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from typing import Any

from grpc_health.v1 import health_pb2

from bentos.admission.defaults import BUSY_RETRY_S
from bentos.grpc.call import Behaviour, CallState
from bentos.grpc.slots import WaitingCalls
from frontdesk.errors import NotFound, Overloaded

MAX_WATCHERS = 256
"""Beyond this, a new watcher ends the oldest watcher of the address with the most watchers."""

_Status = health_pb2.HealthCheckResponse


class HealthService:
    """Serving status of the services `names`, and of the whole server under the empty name."""

    descriptor = health_pb2.DESCRIPTOR.services_by_name["Health"]

    def __init__(self, names: Iterable[str], max_watchers: int = MAX_WATCHERS) -> None:
        self._states: dict[str, int] = dict.fromkeys(("", *names), _Status.SERVING)
        self._changes: set[asyncio.Event] = set()
        self._watchers = WaitingCalls(max_watchers)

    def methods(self) -> dict[str, Behaviour]:
        """The methods by name."""
        return {"Check": self.check, "List": self.list, "Watch": self.watch}

    def set_not_serving(self) -> None:
        """Report NOT_SERVING for all services, also to the current watchers."""
        self._states = dict.fromkeys(self._states, _Status.NOT_SERVING)
        for changed in self._changes:
            changed.set()

    async def check(self, request: Any, _: CallState) -> Any:
        """Return the status of the requested service.

        Raises:
            NotFound: there is no service of this name.
        """
        if (status := self._states.get(request.service)) is None:
            raise NotFound("There is no service of this name.")
        return _Status(status=status)

    async def list(self, _: Any, __: CallState) -> Any:
        """Return the status of every service."""
        statuses = {name: _Status(status=status) for name, status in self._states.items()}
        return health_pb2.HealthListResponse(statuses=statuses)

    async def watch(self, request: Any, call: CallState) -> AsyncIterator[Any]:
        """Yield the current status, then every change; SERVICE_UNKNOWN for a service that does not exist.

        Raises:
            Overloaded: there are too many watchers, and this one was ended.
        """
        changed = asyncio.Event()
        is_surplus = False

        def end(_: bool) -> None:
            nonlocal is_surplus
            is_surplus = True
            changed.set()

        slot = self._watchers.add(call.client or "", math.inf, end)
        self._changes.add(changed)
        last: int | None = None
        try:
            while not is_surplus:
                changed.clear()
                status = self._states.get(request.service, _Status.SERVICE_UNKNOWN)
                if status != last:
                    last = status
                    yield _Status(status=status)
                await changed.wait()
        finally:
            self._changes.discard(changed)
            self._watchers.remove(slot)
        raise Overloaded("Too many clients watch the health.", retry_after_s=BUSY_RETRY_S, hint="Try again later.")
