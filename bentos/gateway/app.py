"""The FastAPI application behind the gateway, with the routes that call the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import frontdesk
from bentos.admission.errors import internal_error_response, problem
from bentos.gateway.admin import add_admin_routes
from bentos.gateway.analytics import add_analytics_routes
from bentos.gateway.content_security import POLICY_HEADER, content_security_policy
from bentos.gateway.direct_route import direct_post
from bentos.gateway.documents import add_docs_and_metrics_routes
from bentos.gateway.openapi import IDEMPOTENT_PROBLEMS, PROBLEM, PROBLEMS, customize_openapi, openapi_json_body
from bentos.gateway.record_routes import add_customer_routes, add_query_record_routes
from bentos.gateway.record_schemas import StoredAnswer
from bentos.gateway.request_state import Admitted, AdmittedRequest, Worker, get_admitted, get_worker
from bentos.gateway.stream import REPLAYED, add_stream_route
from bentos.schemas.queries import QueryIn, parse, parse_batch
from bentos.schemas.query_params import invalid_parameters
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, NotFound
from frontdesk.pipeline import AnswerQuery
from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, ServerIdentity
from frontdesk.storage.record_rows import answer_json
from frontdesk.types import Answer, EarlierAnswer, Query
from runners.services.heartbeats import Heartbeats

PAGE = Path(__file__).parent / "page.html"
JSON = "application/json"
RENDERING_S = 10.0
NO_SPOOL = "the spool cannot be read"


def build_app(
    heartbeats: Callable[[], Heartbeats],
    identity: Callable[[], ServerIdentity] | None = None,
    is_draining: Callable[[], bool] = bool,
    *,
    max_item_bytes: int = 262_144,
) -> FastAPI:
    """The FastAPI application of one worker.

    Args:
        heartbeats: returns this worker's heartbeats once it has started.
        identity: returns the identity that `/livez` proves to clients of the same home; None for no proof.
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

    _add_answer_routes(app, max_item_bytes)
    add_stream_route(app)
    add_query_record_routes(app)  # before /v1/queries/{query_id}, which also matches their paths
    _add_stored_answer_route(app)
    add_customer_routes(app)
    add_analytics_routes(app)
    add_admin_routes(app)
    _add_page_routes(app)
    add_docs_and_metrics_routes(app)
    _add_health_routes(app, heartbeats, identity, is_draining)
    _add_error_handlers(app)
    customize_openapi(app)
    return app


def _add_answer_routes(app: FastAPI, max_item_bytes: int) -> None:
    @direct_post(
        app,
        "/v1/understand",
        summary="Understand a message",
        responses={200: {"model": Answer}, **IDEMPOTENT_PROBLEMS},
        openapi_extra=openapi_json_body("QueryIn", has_idempotency_key=True),
        tags=["understand"],
    )
    async def understand(request: Request) -> Response:
        """Intent, sentiment, priority, uncertainty and decision of one message, without a reply."""
        admitted, pipeline = get_admitted(request.scope), get_worker(request.scope).models.pipeline
        return answer_response(await pipeline.understand(_parse_query(admitted), admitted.caller, admitted.deadline))

    @direct_post(
        app,
        "/v1/understand/batch",
        summary="Understand up to 256 messages",
        responses={200: {"description": "`results`, in order; an error object where one item failed"}, **PROBLEMS},
        openapi_extra=openapi_json_body("BatchIn"),
        tags=["understand"],
    )
    async def understand_batch(request: Request) -> Response:
        """The same for several messages in one model call. An invalid item does not fail the others."""
        admitted, pipeline = get_admitted(request.scope), get_worker(request.scope).models.pipeline
        steps = parse_batch(admitted.body, fresh=admitted.fresh, max_item_bytes=max_item_bytes)
        items = await pipeline.time_slicer.run(steps, admitted.deadline, "the body was read")
        results = await _answer_batch(pipeline, items, admitted)
        return Response(b'{"results":[' + b",".join(results) + b"]}", media_type=JSON)

    @direct_post(
        app,
        "/v1/queries",
        summary="Answer a message",
        responses={200: {"model": Answer}, **IDEMPOTENT_PROBLEMS},
        openapi_extra=openapi_json_body("QueryIn", has_idempotency_key=True),
        tags=["answer"],
    )
    async def answer(request: Request) -> Response:
        """The result of `/v1/understand` with a reply. The response is sent after the answer is stored."""
        admitted, pipeline = get_admitted(request.scope), get_worker(request.scope).models.pipeline
        return answer_response(await pipeline.answer(_parse_query(admitted), admitted.caller, admitted.deadline))


def _parse_query(admitted: AdmittedRequest) -> Query:
    """Parse the JSON body into a `Query`. Raises `InvalidQuery`."""
    return parse(QueryIn, admitted.body).query(fresh=admitted.fresh, idempotency_key=admitted.idempotency_key)


def _add_stored_answer_route(app: FastAPI) -> None:
    @app.get(
        "/v1/queries/{query_id}",
        summary="A stored answer",
        response_model=None,
        responses={
            200: {"model": StoredAnswer},
            404: {"description": "Not found in this tenant", **PROBLEM},
            **PROBLEMS,
        },
        tags=["answer"],
    )
    async def stored_answer(query_id: str, admitted: Admitted, worker: Worker) -> Response:
        """The answer as it was stored, with the masked message. Personal data in the reply is masked."""
        lookup = worker.storage.find_answer(admitted.caller, query_id)
        row = await admitted.deadline.wait_for(lookup, "the record was read")
        if row is None:
            raise NotFound("There is no stored answer with this id.")
        content, customer = row
        admitted.add_audit_facts(rows=1, **({} if customer is None else {"customer": customer}))
        return Response(content, media_type=JSON)


def _add_page_routes(app: FastAPI) -> None:
    page = PAGE.read_text(encoding="utf-8")
    page_headers = {POLICY_HEADER: content_security_policy(page)}
    # Swagger's files come from BentoML's package, so the page needs no network.
    docs_page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Frontdesk API",
        swagger_js_url="/static_content/swagger-ui-bundle.js",
        swagger_css_url="/static_content/swagger-ui.css",
        swagger_favicon_url="/static_content/favicon-light-32x32.png",
    )
    docs_html = bytes(docs_page.body)
    docs_headers = {POLICY_HEADER: content_security_policy(docs_html.decode("utf-8"), static_files=True)}

    @app.get("/", include_in_schema=False)
    async def try_it() -> Response:
        return HTMLResponse(page, headers=page_headers)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(docs_html, headers=docs_headers)


def _add_health_routes(
    app: FastAPI,
    heartbeats: Callable[[], Heartbeats],
    identity: Callable[[], ServerIdentity] | None,
    is_draining: Callable[[], bool],
) -> None:
    @app.get("/livez", tags=["health"], response_model=None)
    async def livez(request: Request) -> Response:
        """200 while all processes of this server, including runners, send heartbeats; else 503 with `dead_workers`."""
        dead_processes = heartbeats().dead_processes()
        response = _health_response(
            "alive" if not dead_processes else "a worker is dead", not dead_processes, {"dead_workers": dead_processes}
        )
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
    async def readyz(worker: Worker) -> Response:
        """200 while messages are answered, else 503 with the reason.

        All workers need their models, and this worker needs its spool. While the database is unavailable, answers go to
        the spool and `storage` is `spooled`. Below `storage.min_free_bytes` of free disk space no new work is accepted.
        A process with encoders may be unavailable if the bundle has a fallback ensemble; `degraded` names the process.
        """
        missing_processes = heartbeats().missing_processes()
        degraded = (
            missing_processes
            if missing_processes and worker.models.champion.ensemble.can_run_without(missing_processes)
            else []
        )
        blocking = [] if degraded else missing_processes
        storage = await worker.storage.status()
        draining, full = is_draining(), worker.storage.disk_space.is_low
        ready = not blocking and storage is not None and not full and not draining
        reasons = (
            (draining, "draining"),
            (bool(blocking), f"waiting for {', '.join(blocking)}"),
            (full, "the disk is nearly full"),
            (storage is None, NO_SPOOL),
        )
        status = next((reason for applies, reason in reasons if applies), "ready")
        details = {
            "model_version": worker.models.champion.version,
            "workers_missing": len(missing_processes),
            "degraded": degraded,
        }
        details["disk_free_bytes"] = worker.storage.disk_space.free_bytes
        if storage is not None:
            details |= storage
        return _health_response(status, ready, details)


async def _answer_batch(
    pipeline: AnswerQuery, items: list[Query | FrontdeskError], admitted: AdmittedRequest
) -> list[bytes]:
    """Answer the valid items together, and return the results in the order of the items."""
    queries = [item for item in items if isinstance(item, Query)]
    answers = await pipeline.understand_batch(queries, admitted.caller, admitted.deadline) if queries else []
    remaining = iter(answers)
    outcomes = [next(remaining) if isinstance(item, Query) else item for item in items]
    deadline = Deadline.after(RENDERING_S)  # stored answers are acknowledged even if the deadline has passed
    return await pipeline.time_slicer.run_each(_render_outcome, outcomes, deadline, "the answers were written")


def _render_outcome(outcome: Answer | FrontdeskError) -> bytes:
    if isinstance(outcome, FrontdeskError):
        return json.dumps({"error": problem(outcome)}).encode()
    return render_answer(outcome)


def render_answer(answer: Answer) -> bytes:
    """An answer as JSON; `reply` and `stored` only if there is a reply."""
    return answer_json(answer)


def answer_response(answer: Answer) -> Response:
    """The answer as a response, with `Idempotency-Replayed` if it was sent before for the same Idempotency-Key."""
    return Response(
        render_answer(answer), media_type=JSON, headers=REPLAYED if isinstance(answer, EarlierAnswer) else None
    )


def _health_response(status: str, healthy: bool, details: dict[str, Any]) -> Response:
    body = {"status": status, **details}
    return Response(json.dumps(body), status_code=200 if healthy else 503, media_type=JSON)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(FrontdeskError)
    async def refused(request: Request, error: FrontdeskError) -> Response:
        return get_worker(request.scope).refuse(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return get_worker(request.scope).refuse(invalid_parameters(error))

    @app.exception_handler(HTTPException)
    async def not_found(request: Request, _: HTTPException) -> Response:
        """404 for a path of the route table that FastAPI does not match, such as a query id with a dot segment."""
        return get_worker(request.scope).refuse(NotFound("There is no such path."))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        """A problem document for a defect. Starlette raises the exception again, and the gateway logs it."""
        return internal_error_response()
