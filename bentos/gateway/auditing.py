"""Audit of one HTTP request: an entry before the operation and one with its outcome, or a count of reads."""

from __future__ import annotations

from typing import Any

from starlette.types import Message, Scope

from bentos.admission.routes import Route
from bentos.gateway.audit_targets import audit_filters, audit_target
from bentos.gateway.request_context import HttpExchange
from bentos.worker.worker_context import WorkerContext
from frontdesk.audit.log import PrivilegedOperation
from frontdesk.deadline import Deadline


class RequestAudit:
    """Audit of one request to a route that is `audited` or `counted`.

    The route adds its results to `facts`, such as the number of `rows` or the pseudonym of the `customer`.
    """

    def __init__(self, worker: WorkerContext, route: Route, scope: Scope, exchange: HttpExchange) -> None:
        self._worker = worker
        self._route = route
        self._exchange = exchange
        self._target = audit_target(route.template, scope["raw_path"])
        self._details: dict[str, Any] = {"route": route.template}
        if query_string := scope["query_string"]:
            labels = worker.models.champion.taxonomy.labels
            self._details["filters"] = audit_filters(query_string, worker.security.auditor.key, labels)
        self._act: PrivilegedOperation | None = None
        self.facts: dict[str, Any] = {}

    async def begin(self, deadline: Deadline) -> None:
        """Commit the entry of the operation if the route is `audited`.

        Raises:
            StorageUnavailable, DeadlineExceeded: the entry was not committed, so the operation must not run.
        """
        if self._route.audited is not None:
            exchange = self._exchange
            details = {"request_id": exchange.request_id, **self._details}
            operation = PrivilegedOperation(exchange.caller, self._route.audited, self._target, details)
            await self._worker.security.auditor.begin(operation, deadline)
            self._act = operation

    async def send(self, message: Message) -> None:
        """Send an ASGI message of the response. The audit entry of the outcome is committed before the last message."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._finish(is_complete=True)
        await self._exchange.send(message)

    async def end(self) -> None:
        """Count the reads, and commit the outcome of an incomplete response. Must be called when the route ends."""
        await self._finish(is_complete=False)
        if self._route.counted is not None:
            details = {**self._details, "status": self._exchange.status}
            rows = self.facts.get("rows", 0)
            if (customer := self.facts.get("customer")) is not None:
                details["customer"] = customer
            self._worker.security.audit_counts.add(
                self._exchange.caller, self._route.counted, self._target, details, rows
            )

    async def _finish(self, *, is_complete: bool) -> None:
        if (operation := self._act) is not None:
            self._act = None
            outcome = {"status": self._exchange.status or None, "complete": is_complete, **self.facts}
            await self._worker.security.auditor.finish(operation, outcome)
