"""What the gateway hands to a route: the admitted request and this worker's desk, in the state of the ASGI scope.

Native FastAPI routes declare `Admitted` and `WorkerDesk` in their signature. Plain Starlette routes and other ASGI
applications call `admitted_of` and `desk_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.types import Scope

from bentos.worker.desk import Desk
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


def hand_over(scope: Scope, desk: Desk, request: AdmittedRequest) -> None:
    """Put both into the state of the scope."""
    state = scope.setdefault("state", {})
    state["desk"], state["admitted"] = desk, request


def admitted_of(scope: Scope) -> AdmittedRequest:
    """The request that the gateway admitted."""
    request: AdmittedRequest = scope["state"]["admitted"]
    return request


def desk_of(scope: Scope) -> Desk:
    """The desk of the worker that serves the request."""
    desk: Desk = scope["state"]["desk"]
    return desk


async def _admitted(request: Request) -> AdmittedRequest:  # a coroutine: FastAPI calls plain functions in a thread
    return admitted_of(request.scope)


async def _worker_desk(request: Request) -> Desk:
    return desk_of(request.scope)


Admitted = Annotated[AdmittedRequest, Depends(_admitted)]
WorkerDesk = Annotated[Desk, Depends(_worker_desk)]
