"""Routes for administrators: what runs, and what waits to be told to other systems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.responses import Response

from bentos.desk import Desk
from bentos.gateway.door import admitted
from bentos.gateway.openapi import PROBLEM, PROBLEMS
from bentos.inventory import Report
from frontdesk.storage.outbox_care import OutboxReport

JSON = "application/json"

_REPORT = TypeAdapter(Report).serializer
_OUTBOX = TypeAdapter(OutboxReport).serializer
_DONE = b'{"done":true}'


def add_admin(app: FastAPI, desk: Callable[[], Desk]) -> None:
    no_letter: dict[int | str, dict[str, Any]] = {
        200: {"description": "Done"},
        404: {"description": "This tenant has no such dead letter", **PROBLEM},
        **PROBLEMS,
    }

    @app.get(
        "/v1/admin/models",
        summary="Which models run, and where",
        response_model=None,
        responses={200: {"model": Report}, **PROBLEMS},
        tags=["admin"],
    )
    async def models() -> Response:
        """What this worker serves and on what, the bundles on disk, and whether a restart would serve another one."""
        reading = asyncio.to_thread(desk().inventory.report)
        report = await admitted.get().deadline.bound(reading, "the bundles were read")
        return Response(_REPORT.to_json(report), media_type=JSON)

    @app.get(
        "/v1/admin/outbox",
        summary="What waits to be told to other systems",
        response_model=None,
        responses={200: {"model": OutboxReport}, **PROBLEMS},
        tags=["admin"],
    )
    async def outbox() -> Response:
        """How far each sink is behind with this tenant's events, and the events that were given up."""
        request = admitted.get()
        asking = desk().outbox_care.report(request.caller.tenant)
        return Response(_OUTBOX.to_json(await request.deadline.bound(asking, "the outbox was read")), media_type=JSON)

    @app.post(
        "/v1/admin/outbox/{sink}/{event_id}/retry",
        summary="Try a dead letter again",
        response_model=None,
        responses=no_letter,
        tags=["admin"],
    )
    async def retry(sink: str, event_id: str) -> Response:
        """As if it were new; later events of its customer may be there before it."""
        request = admitted.get()
        asking = desk().outbox_care.retry(request.caller.tenant, sink, event_id)
        await request.deadline.bound(asking, "the outbox was written")
        return Response(_DONE, media_type=JSON)

    @app.post(
        "/v1/admin/outbox/{sink}/{event_id}/drop",
        summary="Forget a dead letter",
        response_model=None,
        responses=no_letter,
        tags=["admin"],
    )
    async def drop(sink: str, event_id: str) -> Response:
        """Its sink will never be told of it."""
        request = admitted.get()
        asking = desk().outbox_care.drop(request.caller.tenant, sink, event_id)
        await request.deadline.bound(asking, "the outbox was written")
        return Response(_DONE, media_type=JSON)
