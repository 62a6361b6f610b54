"""Routes for administrators: served models, the outbox, and revocation of tokens."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel

from bentos.gateway.openapi import PROBLEM, PROBLEMS, openapi_json_body
from bentos.gateway.request_state import Admitted, Worker
from bentos.schemas.queries import RevokeIn, parse
from bentos.worker.model_info import Report
from bentos.worker.revocations import (
    RevocationTarget,
    insert_revocation,
    seconds_until_revoked_second_ends,
    target_from_token,
    target_from_token_id,
)
from frontdesk.errors import NotFound
from frontdesk.storage.outbox.outbox_admin import OutboxReport
from frontdesk.storage.transactions import write


class Done(BaseModel):
    """The dead letter was changed."""

    done: Literal[True] = True  # vocabulary: a field of the response


class TokensRevoked(BaseModel):
    """The revoked token by its id, or the subject whose tokens issued before `issued_before` were revoked.

    Every worker applies it within `within_s` seconds.
    """

    jti: str | None
    subject: str | None
    issued_before: datetime | None
    within_s: float


def add_admin_routes(app: FastAPI) -> None:
    """Add the routes for administrators."""
    _add_model_routes(app)
    _add_outbox_routes(app)
    _add_token_routes(app)


def _add_model_routes(app: FastAPI) -> None:
    @app.get(
        "/v1/admin/models",
        summary="Served models and stored bundles",
        responses=PROBLEMS,
        tags=["admin"],
    )
    async def models(admitted: Admitted, worker: Worker) -> Report:
        """The served models with their hardware, the bundles on disk, and whether a restart would serve another one."""
        report = asyncio.to_thread(worker.models.inventory.report)
        return await admitted.deadline.wait_for(report, "the bundles were read")


def _add_outbox_routes(app: FastAPI) -> None:
    dead_letter_responses: dict[int | str, dict[str, Any]] = {
        404: {"description": "This tenant has no such dead letter", **PROBLEM},
        **PROBLEMS,
    }

    @app.get(
        "/v1/admin/outbox",
        summary="Backlog and dead letters of the outbox",
        responses=PROBLEMS,
        tags=["admin"],
    )
    async def outbox(admitted: Admitted, worker: Worker) -> OutboxReport:
        """For each sink the backlog of this tenant's events, and the oldest dead letters, at most 100."""
        report = worker.storage.outbox_admin.report(admitted.caller.tenant)
        return await admitted.deadline.wait_for(report, "the outbox was read")

    @app.post(
        "/v1/admin/outbox/{sink}/{event_id}/retry",
        summary="Retry a dead letter",
        responses=dead_letter_responses,
        tags=["admin"],
    )
    async def retry(sink: str, event_id: str, admitted: Admitted, worker: Worker) -> Done:
        """Deliver the event like a new one. Later events of its customer may arrive before it."""
        operation = worker.storage.outbox_admin.retry_dead_letter(admitted.caller.tenant, sink, event_id)
        await admitted.deadline.wait_for(operation, "the outbox was written")
        return Done()

    @app.post(
        "/v1/admin/outbox/{sink}/{event_id}/drop",
        summary="Delete a dead letter",
        responses=dead_letter_responses,
        tags=["admin"],
    )
    async def drop(sink: str, event_id: str, admitted: Admitted, worker: Worker) -> Done:
        """Delete the event; its sink never receives it."""
        operation = worker.storage.outbox_admin.delete_dead_letter(admitted.caller.tenant, sink, event_id)
        await admitted.deadline.wait_for(operation, "the outbox was written")
        return Done()


def _add_token_routes(app: FastAPI) -> None:
    @app.post(
        "/v1/admin/tokens/revoke",
        summary="Revoke a token, or all tokens of a subject",
        responses=PROBLEMS,
        openapi_extra=openapi_json_body("RevokeIn"),
        tags=["admin"],
    )
    async def revoke(admitted: Admitted, worker: Worker) -> TokensRevoked:
        """Revoke a token of this tenant, or those of a subject that were issued before `issued_before`.

        `issued_before` is `security.leeway_s` in the future, because the issuer's clock may be ahead by that much.
        """
        tenant, settings = admitted.caller.tenant, worker.security.authenticator.settings
        selection = parse(RevokeIn, admitted.body)
        if selection.token is not None:
            target = target_from_token(selection.token, worker.security.authenticator.keys, settings)
            if target.tenant != tenant:
                raise NotFound("This tenant has no such token.")
        elif selection.jti is not None:
            target = target_from_token_id(tenant, selection.jti)
        else:
            target = RevocationTarget(tenant, subject=selection.subject or "")
        admitted.add_audit_facts(**target.audit_details())
        row = await write(
            worker.storage.engine,
            lambda connection: insert_revocation(connection, target, settings),
            admitted.deadline,
            "the token was revoked",
        )
        await admitted.deadline.wait_for(
            asyncio.to_thread(worker.security.revocations.refresh), "the token was revoked"
        )
        await asyncio.sleep(seconds_until_revoked_second_ends(row.issued_before, settings))
        return TokensRevoked(
            jti=row.jti or None,
            subject=row.subject or None,
            issued_before=row.issued_before,
            within_s=settings.revocation_refresh_s,
        )
