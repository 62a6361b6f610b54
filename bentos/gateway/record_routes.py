"""Routes for stored records: queries, histories of customers, feedback, export and erasure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bentos.gateway.export import EXPORTS, ExportFormat
from bentos.gateway.openapi import IDEMPOTENT_PROBLEMS, NO_BODY_PROBLEMS, PROBLEM, openapi_json_body
from bentos.gateway.record_schemas import InteractionItem, InteractionPage, QueryItem, QueryPage, next_cursor
from bentos.gateway.request_state import Admitted, AdmittedRequest, Worker
from bentos.gateway.stream import REPLAYED, UNBUFFERED
from bentos.schemas.queries import FeedbackIn, parse
from bentos.schemas.query_params import (
    CHECK_QUERY_STRING,
    CUSTOMER,
    SESSION,
    ExportParameters,
    InteractionListParameters,
    QueryListParameters,
    customer_id_from_path,
    decode_cursor,
    session_id_from_path,
)
from bentos.worker.worker_context import WorkerContext
from frontdesk.deadline import Deadline
from frontdesk.errors import NotFound
from frontdesk.storage.erasure_subjects import ErasureSubject, SubjectKind
from frontdesk.storage.record_rows import SPOOLED, FinishedClaim
from frontdesk.storage.sql.feedback import NewFeedback
from frontdesk.storage.sql.pagination import EXPORTED, Feedback, PagePosition, QueryFilters
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.types import Claim

JSON = "application/json"
ROWS_PER_QUERY = 500
"""Rows per database query of an export: a few hundred kilobytes in memory, a few milliseconds in the database."""
ROWS_PER_CHUNK = 25
"""Rows encoded without yielding to the event loop: 25 texts of 4,000 characters take 3 ms as CSV."""
QUERY_TIMEOUT_S = 10.0
"""Timeout of each database query after the first. A large export takes longer than the deadline of the request."""
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not found in this tenant", **PROBLEM}}


class FeedbackTaken(BaseModel):
    """Stored feedback."""

    id: str
    query_id: str
    created_at: datetime


class StillWaiting(BaseModel):
    """A place that may still have data, with the maximum number of rows; `seen_at`: last report of a host's spool."""

    place: Literal["outbox", "spool", "replies", "write-ahead log", "events file"]
    name: str
    rows: int
    seen_at: datetime | None


class ErasureReceipt(BaseModel):
    """Numbers of rows whose text and customer were erased; their labels and times are kept for statistics.

    `removed` has the numbers by table. Data in `waiting` is erased as soon as its host or sink is available.
    """

    queries: int
    interactions: int
    feedback: int
    erased_at: datetime
    removed: dict[str, int]
    waiting: list[StillWaiting]


class CustomerErased(ErasureReceipt):
    """A customer was erased."""


class SessionErased(ErasureReceipt):
    """A session was erased."""


class QueryErased(ErasureReceipt):
    """A query was erased."""


def add_query_record_routes(app: FastAPI) -> None:
    """Add routes for queries. Routes with a fixed path precede /v1/queries/{query_id}."""
    _add_query_list_routes(app)
    _add_feedback_and_erasure_routes(app)


def _add_query_list_routes(app: FastAPI) -> None:
    @app.get(
        "/v1/queries",
        summary="Stored queries, the newest first",
        responses=NO_BODY_PROBLEMS,
        dependencies=CHECK_QUERY_STRING,
        tags=["records"],
    )
    async def listed(
        parameters: Annotated[QueryListParameters, Query()], admitted: Admitted, worker: Worker
    ) -> QueryPage:
        """A page of query summaries with masked texts. `cursor` continues after a page."""
        rows = await worker.storage.query_history.queries(
            admitted.caller.tenant,
            parameters.filters(),
            decode_cursor(parameters.cursor),
            parameters.limit + 1,
            admitted.deadline,
        )
        items = tuple(QueryItem.of(row) for row in rows[: parameters.limit])
        admitted.add_audit_facts(rows=len(items))
        return QueryPage(items, next_cursor(items, more=len(rows) > parameters.limit))

    @app.get(
        "/v1/queries/export",
        summary="All stored queries, as a file",
        response_model=None,
        responses={
            200: {
                "description": "A row for each query, the newest first; incomplete if the database became unavailable",
                "content": {export.media_type: {"schema": {"type": "string"}} for export in EXPORTS.values()},
            },
            **NO_BODY_PROBLEMS,
        },
        dependencies=CHECK_QUERY_STRING,
        tags=["records"],
    )
    async def exported(
        parameters: Annotated[ExportParameters, Query()], admitted: Admitted, worker: Worker
    ) -> Response:
        """Masked texts and labels as CSV or JSON lines, streamed. CSV is UTF-8 with a byte order mark, for Excel."""
        export = EXPORTS[parameters.format]
        if not parameters.bom:
            export = replace(export, mark=b"")
        headers = {"content-disposition": f'attachment; filename="queries.{parameters.format}"', **UNBUFFERED}
        if admitted.is_head:  # HEAD reads no body, so there is no backpressure
            return StreamingResponse(_empty_body(), media_type=export.media_type, headers=headers)
        first = await worker.storage.query_history.queries(
            admitted.caller.tenant, parameters.filters(), None, ROWS_PER_QUERY, admitted.deadline, EXPORTED
        )
        rows = _export_rows(worker, admitted, parameters.filters(), export, first)
        return StreamingResponse(rows, media_type=export.media_type, headers=headers)


def _add_feedback_and_erasure_routes(app: FastAPI) -> None:
    @app.post(
        "/v1/queries/{query_id}/feedback",
        summary="Give feedback on an answer",
        response_model=FeedbackTaken,
        responses={**_NOT_FOUND, **IDEMPOTENT_PROBLEMS},
        openapi_extra=openapi_json_body("FeedbackIn", has_idempotency_key=True),
        tags=["records"],
    )
    async def judged(query_id: str, admitted: Admitted, worker: Worker) -> Response:
        """Corrected labels, the use of the reply, and the customer's satisfaction."""
        worker.storage.disk_space.check()
        new_feedback = parse(FeedbackIn, admitted.body).new_feedback(worker.models.champion.taxonomy.labels)
        claim = await _claim_idempotency_key(worker.storage.keys, admitted, query_id, new_feedback)
        if isinstance(claim, bytes):
            return Response(claim, media_type=JSON, headers=REPLAYED)
        try:
            return Response(await _store_feedback(worker, admitted, query_id, new_feedback, claim), media_type=JSON)
        except BaseException:  # includes the cancellation after a disconnect
            if claim is not None:
                worker.storage.keys.release(claim, admitted.caller)
            raise

    @app.delete(
        "/v1/queries/{query_id}",
        summary="Erase a query",
        response_model=QueryErased,
        responses={**_NOT_FOUND, **NO_BODY_PROBLEMS},
        tags=["records"],
    )
    async def query_erased(query_id: str, admitted: Admitted, worker: Worker) -> ErasureReceipt:
        """Erase the text, the encrypted original, the answer and the names of one query. Its labels are kept.

        An id without stored data is not an error, because its row may arrive later.
        """
        return await _erase(worker, admitted, SubjectKind.QUERY, query_id)


async def _claim_idempotency_key(
    keys: IdempotencyKeys, admitted: AdmittedRequest, query_id: str, new_feedback: NewFeedback
) -> Claim | bytes | None:
    """The claim of the caller's Idempotency-Key, or the stored response for the key; None without a key."""
    if admitted.idempotency_key is None:
        return None
    content = json.dumps(["feedback", query_id, asdict(new_feedback)]).encode()
    claiming = keys.acquire_for_identity(admitted.idempotency_key, content, admitted.caller)
    return await admitted.deadline.wait_for(claiming, "the Idempotency-Key was looked up")


async def _store_feedback(
    worker: WorkerContext, admitted: AdmittedRequest, query_id: str, new_feedback: NewFeedback, claim: Claim | None
) -> bytes:
    """Store the feedback and return the response. Releases a claim in the spool, as the database has the response."""

    def finished_claim(feedback: Feedback) -> FinishedClaim:
        assert claim is not None, "only a request with a key finishes one"
        return worker.storage.keys.finished_claim(
            claim, admitted.caller, query_id, _render_feedback(feedback), feedback.created_at
        )

    on_stored = None if claim is None else finished_claim
    feedback = await worker.storage.query_history.store_feedback(
        admitted.caller, query_id, new_feedback, admitted.deadline, on_stored
    )
    if feedback is None:
        raise NotFound("There is no stored answer with this id.")
    if claim is not None and claim.claimed_in == SPOOLED:
        worker.storage.keys.release(claim, admitted.caller)
    return _render_feedback(feedback)


def _render_feedback(feedback: Feedback) -> bytes:
    return (
        FeedbackTaken(id=feedback.id, query_id=feedback.query_id, created_at=feedback.created_at)
        .model_dump_json()
        .encode()
    )


def add_customer_routes(app: FastAPI) -> None:
    """Add routes for one customer or session."""

    @app.get(
        "/v1/customers/{customer_id:any_text}/history",
        summary="A customer's interactions, the newest first",
        responses={**_NOT_FOUND, **NO_BODY_PROBLEMS},
        dependencies=CHECK_QUERY_STRING,
        openapi_extra={"parameters": [CUSTOMER]},
        tags=["customers"],
    )
    async def history(
        request: Request, parameters: Annotated[InteractionListParameters, Query()], admitted: Admitted, worker: Worker
    ) -> InteractionPage:
        """Topic, resolution and feedback of each contact, without texts."""
        customer_id = customer_id_from_path(request)
        rows = await worker.storage.query_history.interactions(
            admitted.caller.tenant,
            customer_id,
            decode_cursor(parameters.cursor),
            parameters.limit + 1,
            admitted.deadline,
        )
        if not rows and parameters.cursor is None:
            raise NotFound("There is no history of this customer.")
        items = tuple(InteractionItem.of(interaction) for interaction in rows[: parameters.limit])
        admitted.add_audit_facts(rows=len(items))
        return InteractionPage(items, next_cursor(items, more=len(rows) > parameters.limit))

    @app.delete(
        "/v1/customers/{customer_id:any_text}",
        summary="Erase a customer",
        response_model=CustomerErased,
        responses={**_NOT_FOUND, **NO_BODY_PROBLEMS},
        openapi_extra={"parameters": [CUSTOMER]},
        tags=["customers"],
    )
    async def erased(request: Request, admitted: Admitted, worker: Worker) -> ErasureReceipt:
        """Erase texts, encrypted originals, answers, sessions and the customer's id. Labels are kept for statistics.

        A customer without stored data is not an error, because rows may arrive later; they are anonymized on arrival.
        The receipt lists the removed and the pending data.
        """
        return await _erase(worker, admitted, SubjectKind.CUSTOMER, customer_id_from_path(request))

    @app.delete(
        "/v1/sessions/{session_id:any_text}",
        summary="Erase a session",
        response_model=SessionErased,
        responses={**_NOT_FOUND, **NO_BODY_PROBLEMS},
        openapi_extra={"parameters": [SESSION]},
        tags=["customers"],
    )
    async def session_erased(request: Request, admitted: Admitted, worker: Worker) -> ErasureReceipt:
        """Erase all queries of one session, with or without a customer."""
        return await _erase(worker, admitted, SubjectKind.SESSION, session_id_from_path(request))


async def _erase(worker: WorkerContext, admitted: AdmittedRequest, kind: SubjectKind, identity: str) -> ErasureReceipt:
    receipt = await worker.storage.query_history.eraser.erase(
        ErasureSubject(kind, admitted.caller.tenant, identity), admitted.deadline
    )
    admitted.add_audit_facts(queries=receipt.queries, interactions=receipt.interactions, feedback=receipt.feedback)
    admitted.add_audit_facts(customers=receipt.customers)
    return ErasureReceipt(
        queries=receipt.queries,
        interactions=receipt.interactions,
        feedback=receipt.feedback,
        erased_at=receipt.erased_at,
        removed=dict(receipt.removed),
        waiting=[StillWaiting(**asdict(waiting)) for waiting in receipt.waiting],
    )


async def _empty_body() -> AsyncIterator[bytes]:
    return
    yield b""


async def _export_rows(
    worker: WorkerContext,
    admitted: AdmittedRequest,
    filters: QueryFilters,
    export: ExportFormat,
    first: Sequence[RowMapping],
) -> AsyncIterator[bytes]:
    """Run one database query at a time, so that no transaction waits for a slow client and memory use is constant."""
    yield export.mark + export.head([column.name for column in EXPORTED])
    rows, row_count = first, 0
    while rows:
        for start in range(0, len(rows), ROWS_PER_CHUNK):
            chunk = rows[start : start + ROWS_PER_CHUNK]
            row_count += len(chunk)
            admitted.add_audit_facts(rows=row_count)
            yield export.piece(chunk)
            await asyncio.sleep(0)  # let other tasks run even if the connection never blocks
        after = PagePosition(rows[-1]["created_at"], rows[-1]["id"]) if len(rows) == ROWS_PER_QUERY else None
        if after is None:
            return
        deadline = Deadline.after(QUERY_TIMEOUT_S)
        rows = await worker.storage.query_history.queries(
            admitted.caller.tenant, filters, after, ROWS_PER_QUERY, deadline, EXPORTED
        )
