"""Data that the gateway passes to routes in the ASGI scope's state: the admitted request and the worker's parts.

FastAPI routes declare `Admitted` and `Worker` in their signature. Plain Starlette routes and other ASGI
applications call `get_admitted` and `get_worker`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.types import Scope

from bentos.worker.worker_context import WorkerContext
from frontdesk.deadline import Deadline
from frontdesk.types import Caller


@dataclass(frozen=True, slots=True)
class AdmittedRequest:
    """Metadata and body of a request that passed admission."""

    caller: Caller
    deadline: Deadline
    request_id: str
    body: bytes
    fresh: bool = False
    idempotency_key: str | None = None
    is_head: bool = False
    audit_facts: dict[str, Any] | None = None
    """Results for the audit log, such as the number of `rows` read; None if the route is not audited or counted."""

    def add_audit_facts(self, **facts: object) -> None:
        """Add facts to the audit entry of this request, if it has one."""
        if self.audit_facts is not None:
            self.audit_facts.update(facts)


def set_request_state(scope: Scope, worker: WorkerContext, request: AdmittedRequest) -> None:
    """Store both in the state of the scope."""
    state = scope.setdefault("state", {})
    state["worker"], state["admitted"] = worker, request


def get_admitted(scope: Scope) -> AdmittedRequest:
    """The request that the gateway admitted."""
    request: AdmittedRequest = scope["state"]["admitted"]
    return request


def get_worker(scope: Scope) -> WorkerContext:
    """The parts of the worker that serves the request."""
    worker: WorkerContext = scope["state"]["worker"]
    return worker


# These dependencies are coroutines, because FastAPI calls plain functions in a thread.
async def _provide_admitted(request: Request) -> AdmittedRequest:
    return get_admitted(request.scope)


async def _provide_worker(request: Request) -> WorkerContext:
    return get_worker(request.scope)


Admitted = Annotated[AdmittedRequest, Depends(_provide_admitted)]
Worker = Annotated[WorkerContext, Depends(_provide_worker)]
