"""The FastAPI application behind the door: our own routes, each a few lines around the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import frontdesk
from bentos.admission.errors import problem, unexpected_response
from bentos.gateway.admin import add_admin
from bentos.gateway.analytics import add_analytics
from bentos.gateway.content_security import POLICY_HEADER, page_policy
from bentos.gateway.documents import add_documents
from bentos.gateway.door import Admitted, admitted
from bentos.gateway.openapi import KEYED_PROBLEMS, PROBLEM, PROBLEMS, described, json_body
from bentos.gateway.record_routes import add_customers, add_records
from bentos.gateway.stream import REPLAYED, add_stream
from bentos.schemas.queries import QueryIn, parse, parse_batch
from bentos.worker.desk import Desk
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, NotFound
from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, ServerIdentity
from frontdesk.storage.record_rows import answer_json
from frontdesk.types import Answer, EarlierAnswer, Query
from runners.services.heartbeats import Heartbeats

PAGE = Path(__file__).parent / "page.html"
JSON = "application/json"
RENDERING_S = 10.0
NO_SPOOL = "the spool cannot be read"


def build_app(
    desk: Callable[[], Desk],
    heartbeats: Callable[[], Heartbeats],
    identity: Callable[[], ServerIdentity] | None = None,
    is_draining: Callable[[], bool] = bool,
    *,
    max_item_bytes: int = 65_536,
) -> FastAPI:
    """The FastAPI application of one worker.

    Args:
        desk: returns this worker's desk once it has started.
        heartbeats: returns this worker's heartbeats once it has started.
        identity: returns the identity that `/livez` proves to clients of the same home; None: no proof.
        is_draining: returns True from the beginning of the drain.
        max_item_bytes: limit of one message in a batch.
    """
    app = FastAPI(
        title="Frontdesk",
        version=frontdesk.__version__,
        summary="Understands customers' messages and answers them.",
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
    )

    _add_answers(app, desk, max_item_bytes)
    add_stream(app, desk)
    add_records(app, desk)  # before /v1/queries/{query_id}, which would take their paths for ids
    _add_stored_answer(app, desk)
    add_customers(app, desk)
    add_analytics(app, desk)
    add_admin(app, desk)
    _add_pages(app)
    add_documents(app, desk)
    _add_health(app, desk, heartbeats, identity, is_draining)
    _add_refusals(app, desk)
    described(app)
    return app


def _add_answers(app: FastAPI, desk: Callable[[], Desk], max_item_bytes: int) -> None:
    @app.post(
        "/v1/understand",
        summary="Understand a message",
        response_model=None,
        responses={200: {"model": Answer}, **KEYED_PROBLEMS},
        openapi_extra=json_body("QueryIn", keyed=True),
        tags=["understand"],
    )
    async def understand(_: Request) -> Response:
        """Intent, sentiment, priority, uncertainty and decision of one message, without a reply."""
        request = admitted.get()
        query = parse(QueryIn, request.body).query(fresh=request.fresh, idempotency_key=request.idempotency_key)
        return answered(await desk().models.pipeline.understand(query, request.caller, request.deadline))

    @app.post(
        "/v1/understand/batch",
        summary="Understand up to 256 messages",
        response_model=None,
        responses={200: {"description": "`results`, in order; an error object where one item failed"}, **PROBLEMS},
        openapi_extra=json_body("BatchIn"),
        tags=["understand"],
    )
    async def understand_batch(_: Request) -> Response:
        """The same for several messages in one model call; a bad item fails alone."""
        request, turns = admitted.get(), desk().models.pipeline.turns
        parsing = parse_batch(request.body, fresh=request.fresh, max_item_bytes=max_item_bytes)
        items = await turns.run(parsing, request.deadline, "the body was read")
        results = await _batch(desk(), items, request)
        return Response(b'{"results":[' + b",".join(results) + b"]}", media_type=JSON)

    @app.post(
        "/v1/queries",
        summary="Answer a message",
        response_model=None,
        responses={200: {"model": Answer}, **KEYED_PROBLEMS},
        openapi_extra=json_body("QueryIn", keyed=True),
        tags=["answer"],
    )
    async def answer(_: Request) -> Response:
        """Everything of `/v1/understand`, and the reply; acknowledged once it is stored."""
        request = admitted.get()
        query = parse(QueryIn, request.body).query(fresh=request.fresh, idempotency_key=request.idempotency_key)
        return answered(await desk().models.pipeline.answer(query, request.caller, request.deadline))


def _add_stored_answer(app: FastAPI, desk: Callable[[], Desk]) -> None:
    @app.get(
        "/v1/queries/{query_id}",
        summary="A stored answer",
        response_model=None,
        responses={200: {"model": Answer}, 404: {"description": "Not there, or not yours", **PROBLEM}, **PROBLEMS},
        tags=["answer"],
    )
    async def stored_answer(query_id: str) -> Response:
        """The answer as it was stored: the reply with personal data still masked."""
        request = admitted.get()
        found = await request.deadline.bound(
            desk().storage.find_answer(request.caller, query_id), "the record was read"
        )
        if found is None:
            raise NotFound("There is no stored answer with this id.")
        content, customer = found
        request.add_audit_facts(rows=1, **({} if customer is None else {"customer": customer}))
        return Response(content, media_type=JSON)


def _add_pages(app: FastAPI) -> None:
    page = PAGE.read_text(encoding="utf-8")
    page_headers = {POLICY_HEADER: page_policy(page)}
    # Swagger's files come from BentoML's package, so the page needs no network.
    docs_page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Frontdesk API",
        swagger_js_url="/static_content/swagger-ui-bundle.js",
        swagger_css_url="/static_content/swagger-ui.css",
        swagger_favicon_url="/static_content/favicon-light-32x32.png",
    )
    docs_html = bytes(docs_page.body)
    docs_headers = {POLICY_HEADER: page_policy(docs_html.decode("utf-8"), static_files=True)}

    @app.get("/", include_in_schema=False)
    async def try_it() -> Response:
        return HTMLResponse(page, headers=page_headers)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(docs_html, headers=docs_headers)


def _add_health(
    app: FastAPI,
    desk: Callable[[], Desk],
    heartbeats: Callable[[], Heartbeats],
    identity: Callable[[], ServerIdentity] | None,
    is_draining: Callable[[], bool],
) -> None:
    @app.get("/livez", tags=["health"], response_model=None)
    async def livez(request: Request) -> Response:
        """200 while every process of this server, runners too, shows signs of life; 503 names those that do not."""
        dead = heartbeats().dead()
        response = _health("alive" if not dead else "a worker is dead", not dead, {"dead_workers": dead})
        challenge, address = request.headers.get(CHALLENGE_HEADER), request.scope.get("server")
        if (
            identity is not None
            and challenge
            and address
            and (proof := identity().proof(challenge, address[1], address[0]))
        ):
            response.headers[PROOF_HEADER] = proof
        return response

    @app.get("/readyz", tags=["health"], response_model=None)
    async def readyz() -> Response:
        """200 while messages are answered; 503 with the reason otherwise.

        Every worker needs its models and this one its spool. While the database is unavailable, answers go to the spool
        and `storage` is `spooled`. Below `storage.min_free_bytes` of free disk no new work is accepted. A process with
        encoders may be unavailable if the bundle has a reserve; `degraded` names it.
        """
        opened = desk()
        missing = heartbeats().missing()
        degraded = missing if missing and opened.models.champion.can_spare(missing) else []
        lacking = [] if degraded else missing
        storage = await opened.storage.status()
        draining, full = is_draining(), opened.storage.disk_room.is_low
        ready = not lacking and storage is not None and not full and not draining
        reasons = (
            (draining, "draining"),
            (bool(lacking), f"waiting for {', '.join(lacking)}"),
            (full, "the disk is nearly full"),
            (storage is None, NO_SPOOL),
        )
        what = next((reason for applies, reason in reasons if applies), "ready")
        details = {
            "model_version": opened.models.champion.version,
            "workers_missing": len(missing),
            "degraded": degraded,
        }
        details["disk_free_bytes"] = opened.storage.disk_room.free_bytes
        if storage is not None:
            details |= storage
        return _health(what, ready, details)


async def _batch(desk: Desk, items: list[Query | FrontdeskError], request: Admitted) -> list[bytes]:
    """Answer the good items together and put each result in its item's place."""
    queries = [item for item in items if isinstance(item, Query)]
    answers = await desk.models.pipeline.understand_batch(queries, request.caller, request.deadline) if queries else []
    answered = iter(answers)
    outcomes = [next(answered) if isinstance(item, Query) else item for item in items]
    rendering = Deadline.after(RENDERING_S)  # stored answers are acknowledged even if the deadline has passed
    return await desk.models.pipeline.turns.each(_result, outcomes, rendering, "the answers were written")


def _result(outcome: Answer | FrontdeskError) -> bytes:
    if isinstance(outcome, FrontdeskError):
        return json.dumps({"error": problem(outcome)}).encode()
    return render(outcome)


def render(answer: Answer) -> bytes:
    """An answer as JSON; `reply` and `stored` only where there is a reply."""
    return answer_json(answer)


def answered(answer: Answer) -> Response:
    """The answer as a response, which says so where it was given before to the same Idempotency-Key."""
    return Response(render(answer), media_type=JSON, headers=REPLAYED if isinstance(answer, EarlierAnswer) else None)


def _health(status: str, good: bool, details: dict[str, Any]) -> Response:
    body = {"status": status, **details}
    return Response(json.dumps(body), status_code=200 if good else 503, media_type=JSON)


def _add_refusals(app: FastAPI, desk: Callable[[], Desk]) -> None:
    @app.exception_handler(FrontdeskError)
    async def refused(_: Request, error: FrontdeskError) -> Response:
        return desk().refuse(error)

    @app.exception_handler(HTTPException)
    async def not_found(_: Request, __: HTTPException) -> Response:
        """What the framework itself refuses although the door's table has it: a query id with a dot segment, say."""
        return desk().refuse(NotFound("There is no such path."))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        """A problem document for a defect. Starlette raises the exception again afterwards, and the door logs it."""
        return unexpected_response()
