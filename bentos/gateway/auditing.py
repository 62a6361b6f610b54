"""How the HTTP door audits one request: an entry before the act and one with its outcome, or a count of reads."""

from __future__ import annotations

from typing import Any

from starlette.types import Message, Scope

from bentos.audit import Act
from bentos.audit_targets import filters_of, target_of
from bentos.desk import Desk
from bentos.gateway.exchange import Exchange
from bentos.gateway.routes import Route
from frontdesk.deadline import Deadline


class Audited:
    """One request to a route that is `audited` or `counted`. The route adds what it did to `about`: `rows`, say, or
    the keyed hash of the `customer` whose row it was."""

    def __init__(self, desk: Desk, route: Route, scope: Scope, exchange: Exchange) -> None:
        self._desk = desk
        self._route = route
        self._exchange = exchange
        self._target = target_of(route.template, scope["raw_path"])
        self._details: dict[str, Any] = {"route": route.template}
        if query_string := scope["query_string"]:
            labels = desk.champion.taxonomy.labels
            self._details["filters"] = filters_of(query_string, desk.auditor.key, labels)
        self._act: Act | None = None
        self.about: dict[str, Any] = {}

    async def begin(self, deadline: Deadline) -> None:
        """Note the act, where the route is `audited`.

        Raises:
            StorageUnavailable, DeadlineExceeded: it could not be noted, so it must not be done.
        """
        if self._route.audited is not None:
            exchange = self._exchange
            details = {"request_id": exchange.request_id, **self._details}
            act = Act(exchange.caller, self._route.audited, self._target, details)
            await self._desk.auditor.begin(act, deadline)
            self._act = act

    async def send(self, message: Message) -> None:
        """The response's messages pass here; the outcome is noted before the last one leaves."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._finish(is_complete=True)
        await self._exchange.send(message)

    async def end(self) -> None:
        """After the route, however it ended: a response that was cut off has an outcome too; reads are counted."""
        await self._finish(is_complete=False)
        if self._route.counted is not None:
            details = {**self._details, "status": self._exchange.status}
            rows = self.about.get("rows", 0)
            if (customer := self.about.get("customer")) is not None:
                details["customer"] = customer
            self._desk.audit_counts.add(self._exchange.caller, self._route.counted, self._target, details, rows)

    async def _finish(self, *, is_complete: bool) -> None:
        if (act := self._act) is not None:
            self._act = None
            outcome = {"status": self._exchange.status or None, "complete": is_complete, **self.about}
            await self._desk.auditor.finish(act, outcome)
