"""The BentoML service: `bentoml serve bentos.service:Frontdesk`, or `frontdesk serve`.

The master runs `check_and_pin_bundle` once: it verifies the champion, creates missing keys, migrates the database, and
pins the bundle for all workers. Each worker opens its own `WorkerContext` and sends heartbeats. After SIGTERM, requests
in flight are finished. The services that `model.placement` needs are dependencies of this one, so BentoML starts a
process for each.
Calls to them do not use BentoML's client, for the reasons in `runners/remote/runner_client.py`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import bentoml
from bentoml import server_context
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from bentos.admission.errors import internal_error_response
from bentos.admission.routes import configured_scopes_by_route
from bentos.asgi_service import GatewayService
from bentos.bento_build import bento_settings
from bentos.code_path import keep_code_importable
from bentos.gateway.app import answer_response, build_app
from bentos.gateway.connection_events import ConnectionObserver
from bentos.gateway.http_gateway import Gateway
from bentos.gateway.oip_routes import OpenInferenceApp
from bentos.gateway.request_state import get_admitted, get_worker
from bentos.grpc.grpc_server import GrpcServer, start_grpc
from bentos.http.descriptors import raise_descriptor_limit
from bentos.http.hardened_server import install_hardened_server
from bentos.http.tls import check_tls_serve_options
from bentos.schemas.queries import select_known_headers
from bentos.wiring.local_llm import start_local_llm
from bentos.wiring.model import open_load_board, warn_load_not_shared
from bentos.wiring.port_check import GRPC_VARIABLE, check_port_is_free
from bentos.wiring.worker import open_worker, prepare_server_start
from bentos.worker.worker_context import WorkerContext
from frontdesk.child_processes import drop_cwd_from_sys_path, terminate_when_parent_ends
from frontdesk.errors import ConfigurationError, FrontdeskError
from frontdesk.language_tags import canonical_language_tag
from frontdesk.observability.logs import configure_logging, log_failure
from frontdesk.observability.loop_lag import LoopLag
from frontdesk.private_files import PRIVATE_UMASK, make_home
from frontdesk.security.server_identity import ServerIdentity, load_server_identity
from frontdesk.types import Channel, CustomerTier, Query, Role, Turn
from runners.balancing.work_offload import offload_sockets_folder
from runners.remote.placement import local_services
from runners.services.distilbert_service import DistilBert
from runners.services.encoder_service import Encoders
from runners.services.heartbeats import Heartbeats, claim_run_folder, run_folder
from runners.services.meta_learner_service import MetaLearner
from runners.services.pinned_run import PinnedRun, load_run_settings, pin_run
from runners.services.process_manager import (
    check_control_socket,
    share_sockets_folder,
    stop_server,
    use_private_sockets,
)
from runners.services.roberta_service import Roberta
from runners.services.tree_service import TreesAndLinear

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that the master prints it

keep_code_importable()
terminate_when_parent_ends()
SETTINGS, PINNED = load_run_settings()
if server_context.worker_index is None:  # the master imports this module before it creates the arbiter
    use_private_sockets(SETTINGS.run, SETTINGS.server.drain_s)
PROXIES_VARIABLE = "FORWARDED_ALLOW_IPS"
"""Variable of uvicorn. If it is not set, uvicorn trusts forwarded headers from every process on this machine."""


class _MasterProcessState:
    """State of the master. The process of the local language model ends when the pipe to it closes."""

    local_llm: subprocess.Popen[bytes] | None = None


class _WorkerProcessState:
    """Parts of this worker process. They are global because BentoML creates the service object."""

    worker: WorkerContext | None = None
    heartbeats: Heartbeats | None = None
    grpc: GrpcServer | None = None
    grpc_stop: asyncio.Task[None] | None = None
    lag: LoopLag | None = None


def _worker() -> WorkerContext:
    assert _WorkerProcessState.worker is not None, "the server accepts requests only after its worker has started"
    return _WorkerProcessState.worker


def _heartbeats() -> Heartbeats:
    assert _WorkerProcessState.heartbeats is not None, "the server accepts requests only after its worker has started"
    return _WorkerProcessState.heartbeats


@cache
def _identity() -> ServerIdentity:
    """The identity of this home; the master has created its keys."""
    return load_server_identity(SETTINGS.keys)


@bentoml.service(
    name="frontdesk",
    service_class=GatewayService,
    workers=SETTINGS.server.workers,
    http={"host": SETTINGS.server.host, "port": SETTINGS.server.port},
    **SETTINGS.bentoml,
)
class Frontdesk:
    """Understands customers' messages and answers them."""

    if SETTINGS.model.placement == "dedicated":
        encoders = bentoml.depends(Encoders)
    elif SETTINGS.model.placement == "distributed":
        distilbert = bentoml.depends(DistilBert)
        roberta = bentoml.depends(Roberta)
        trees = bentoml.depends(TreesAndLinear)
        meta_learner = bentoml.depends(MetaLearner)

    @staticmethod
    def wrap_application(native: ASGIApp) -> ASGIApp:
        """The application that a worker serves: the gateway, which forwards BentoML's own routes to `native`."""
        raise_descriptor_limit()
        events = ConnectionObserver(lambda: _WorkerProcessState.worker, access_log=SETTINGS.observability.access_log)
        table = install_hardened_server(SETTINGS.server, events, on_drain=_mark_not_serving, on_stop=_stop_grpc)
        api = build_app(
            _heartbeats,
            _identity,
            lambda: table.is_draining,
            max_item_bytes=SETTINGS.server.max_body_bytes,
        )
        api.openapi()  # generate the document now, so that no request waits for it
        return Gateway(
            api=api,
            native=native,
            open_inference=OpenInferenceApp(lambda: table.is_draining),
            worker=_worker,
            settings=SETTINGS.server,
            scopes=configured_scopes_by_route(SETTINGS.security),
        )

    @bentoml.on_deployment
    @staticmethod
    def check_and_pin_bundle() -> None:
        """Run once in the master: check what every worker needs, and pin one bundle for all workers."""
        bento = Frontdesk.bento  # type: ignore[attr-defined]  # the decorator turns the class into a Service
        settings = bento_settings(SETTINGS, bento) if bento else SETTINGS
        os.umask(PRIVATE_UMASK)
        drop_cwd_from_sys_path()
        try:
            make_home(settings.home)
            sockets = share_sockets_folder()
            if settings.server.grpc_port is not None:
                check_port_is_free(settings.server.host, settings.server.grpc_port, GRPC_VARIABLE)
            check_tls_serve_options(settings.server, sys.argv)
            bundle, precision = prepare_server_start(settings)
            if settings.responses.provider == "local":
                _MasterProcessState.local_llm = start_local_llm(settings)
        except (FrontdeskError, OSError) as error:
            print(f"error {error}", file=sys.stderr)  # noqa: T201 - for the user, before logging is configured
            raise SystemExit(1) from None
        os.environ[PROXIES_VARIABLE] = ",".join(settings.server.trusted_proxies)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for such small products a second thread only busy-waits
        os.environ["PYTHONSAFEPATH"] = "1"
        if intents_without_policy := bundle.taxonomy().intents_without_policy():
            _log.warning("No policy for %s: medium urgency, never automated.", ", ".join(intents_without_policy))
        pinned = PinnedRun(
            home=settings.home,
            bundle=bundle.path,
            bundle_keys=settings.security.bundle_keys,
            precision=precision,
            sockets=sockets,
        )
        pin_run(pinned, claim_run_folder(settings.run, os.getpid()))

    @bentoml.on_startup
    async def open(self) -> None:
        """Run in each worker before it accepts requests."""
        os.umask(PRIVATE_UMASK)
        drop_cwd_from_sys_path()
        sockets = _check_control_sockets_folder()
        configure_logging(SETTINGS.observability.log_level, SETTINGS.observability.refused_lines_per_second)
        dependencies = Frontdesk.dependencies  # type: ignore[attr-defined]  # as in `check_and_pin_bundle`
        runners = {name: dependency.on.url for name, dependency in dependencies.items()}
        server, worker_index = SETTINGS.server, (server_context.worker_index or 1) - 1
        folder = offload_sockets_folder(sockets)
        _WorkerProcessState.worker = open_worker(
            SETTINGS, runners, worker_index, open_load_board(folder, worker_index, server.workers)
        )
        _WorkerProcessState.heartbeats = Heartbeats(
            run_folder(SETTINGS.run, os.getppid()),
            f"worker-{worker_index + 1}",
            expected=[*(f"worker-{index}" for index in range(1, server.workers + 1)), *local_services(runners)],
            interval_s=server.heartbeat_interval_s,
            timeout_s=server.heartbeat_timeout_s,
            on_beat=_WorkerProcessState.worker.observe_waiting_texts,
        )
        if (balanced := _WorkerProcessState.worker.models.champion.balanced) is not None:
            try:
                await balanced.start()
            except OSError as error:
                warn_load_not_shared(folder, error)
        if server.grpc_port is not None:
            _WorkerProcessState.grpc = await start_grpc(_WorkerProcessState.worker, SETTINGS, server.grpc_port)
        _WorkerProcessState.heartbeats.start()
        metrics = _WorkerProcessState.worker.telemetry.metrics
        _WorkerProcessState.lag = LoopLag(metrics.observe_loop_lag, metrics.set_longest_loop_lag)
        _WorkerProcessState.lag.start()
        gc.collect()
        gc.freeze()  # the garbage collector then skips the 300,000 objects that were loaded

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Run in each worker after its last HTTP request and after the grace period of gRPC calls."""
        await _heartbeats().stop()
        if _WorkerProcessState.lag is not None:
            _WorkerProcessState.lag.stop()
        await _stop_grpc()
        if _WorkerProcessState.grpc_stop is not None:
            await _WorkerProcessState.grpc_stop
        await _worker().close()

    @bentoml.api
    async def understand(
        self,
        text: str = "",
        customer_id: str | None = None,
        session_id: str | None = None,
        channel: str = Channel.API.value,
        customer_tier: str = CustomerTier.STANDARD.value,
        language: str | None = None,
        waiting_since: datetime | None = None,
        store: bool = True,
        html: str | None = None,
        subject: str | None = None,
        headers: dict[str, str] | None = None,
        transcript: list[dict[str, str]] | None = None,
        *,
        ctx: bentoml.Context,
    ) -> dict[str, Any]:
        """Intent, sentiment, priority, uncertainty and decision of one message, without a reply."""
        query = Query(
            text,
            customer_id=customer_id,
            session_id=session_id,
            channel=Channel(channel),
            customer_tier=CustomerTier(customer_tier),
            language=None if language is None else canonical_language_tag(language),
            waiting_since=waiting_since,
            store=store,
            html=html,
            subject=subject or "",
            headers=select_known_headers(headers or {}),
            transcript=tuple(Turn(Role(turn["role"]), turn["text"]) for turn in transcript or ()),
        )
        return await _answer_request(query, ctx, reply=False)

    @bentoml.api
    async def answer(
        self,
        text: str = "",
        customer_id: str | None = None,
        session_id: str | None = None,
        channel: str = Channel.API.value,
        customer_tier: str = CustomerTier.STANDARD.value,
        language: str | None = None,
        waiting_since: datetime | None = None,
        store: bool = True,
        html: str | None = None,
        subject: str | None = None,
        headers: dict[str, str] | None = None,
        transcript: list[dict[str, str]] | None = None,
        *,
        ctx: bentoml.Context,
    ) -> dict[str, Any]:
        """The result of `understand` with a reply. The response is sent after the answer is stored."""
        query = Query(
            text,
            customer_id=customer_id,
            session_id=session_id,
            channel=Channel(channel),
            customer_tier=CustomerTier(customer_tier),
            language=None if language is None else canonical_language_tag(language),
            waiting_since=waiting_since,
            store=store,
            html=html,
            subject=subject or "",
            headers=select_known_headers(headers or {}),
            transcript=tuple(Turn(Role(turn["role"]), turn["text"]) for turn in transcript or ()),
        )
        return await _answer_request(query, ctx, reply=True)


def _check_control_sockets_folder() -> Path:
    """The folder of the master's sockets. Stops the server if the process manager listens on another address."""
    try:
        return check_control_socket(PINNED.sockets if PINNED else None)
    except ConfigurationError as error:
        stop_server(error)


async def _mark_not_serving() -> None:
    """Set gRPC's health service to NOT_SERVING. Calls are still accepted."""
    if _WorkerProcessState.grpc is not None:
        await _WorkerProcessState.grpc.mark_not_serving()


async def _stop_grpc() -> None:
    """Start stopping gRPC while HTTP stops; both share `shutdown_grace_s`."""
    if _WorkerProcessState.grpc is not None and _WorkerProcessState.grpc_stop is None:
        _WorkerProcessState.grpc_stop = asyncio.create_task(
            _WorkerProcessState.grpc.stop(SETTINGS.server.shutdown_grace_s)
        )


async def _answer_request(query: Query, context: bentoml.Context, *, reply: bool) -> Any:
    """Answer a query. BentoML passes the returned Starlette response on, with the status of its context."""
    response = await _build_response(query, context.request, reply=reply)
    context.response.status_code = response.status_code
    return response


async def _build_response(query: Query, request: Request, *, reply: bool) -> Response:
    admitted, worker = get_admitted(request.scope), get_worker(request.scope)
    pipeline = worker.models.pipeline
    handle = pipeline.answer if reply else pipeline.understand
    try:
        query_with_key = replace(query, idempotency_key=admitted.idempotency_key)
        answer = await handle(query_with_key, admitted.caller, admitted.deadline)
    except FrontdeskError as error:
        return worker.refuse(error)
    except Exception as error:  # noqa: BLE001 - otherwise BentoML answers a defect with its own JSON
        log_failure(error, admitted.request_id)
        return internal_error_response()
    return answer_response(answer)
