"""What the gateway hands to a route: the admitted request and this worker's desk, in the state of the ASGI scope.

Native FastAPI routes declare `Admitted` and `Worker` in their signature. Plain Starlette routes and other ASGI
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
    """The metadata and the body of a request that passed admission."""

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
    """Put both into the state of the scope."""
    state = scope.setdefault("state", {})
    state["worker"], state["admitted"] = worker, request


def get_admitted(scope: Scope) -> AdmittedRequest:
    """The request that the gateway admitted."""
    request: AdmittedRequest = scope["state"]["admitted"]
    return request


def get_worker(scope: Scope) -> WorkerContext:
    """The desk of the worker that serves the request."""
    worker: WorkerContext = scope["state"]["worker"]
    return worker


async def _provide_admitted(
    request: Request,
) -> AdmittedRequest:  # a coroutine: FastAPI calls plain functions in a thread
    return get_admitted(request.scope)


async def _provide_worker(request: Request) -> WorkerContext:
    return get_worker(request.scope)


Admitted = Annotated[AdmittedRequest, Depends(_provide_admitted)]
Worker = Annotated[WorkerContext, Depends(_provide_worker)]
