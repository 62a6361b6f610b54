"""Base of the runner services: models of the bundle behind one route, `POST /bundles/<version>/call`, bytes to bytes.

The route is answered before BentoML's middleware stack (measured: 0.06 ms of CPU per request instead of 1.2). Only this
route and BentoML's health and metrics routes exist, because BentoML's API routes would unpickle request bodies. Calls
run one after another in a separate thread; a call is a whole batch of an API worker, so calls are not batched.

A runner writes heartbeats like the API workers of its master, so that their /livez and /readyz report it. After SIGTERM
it runs until the API workers, which are stopped at the same time, have no more calls.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Protocol

import attrs
import bentoml
from _bentoml_sdk import Service
from bentoml import server_context
from starlette.types import ASGIApp, Receive, Scope, Send

from frontdesk.child_processes import drop_cwd_from_sys_path, terminate_when_parent_ends
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, Overloaded
from frontdesk.observability.logs import configure_logging, log_failure
from frontdesk.private_files import PRIVATE_UMASK
from model_store.bundle import Bundle
from model_store.promotion import champion_path
from model_store.signature import open_signed
from runners.batching.batcher import Batcher
from runners.batching.scheduler import BatchLimits
from runners.ensemble.ensemble import load_member
from runners.models.base_model import ModelBatch
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.onnx_encoder import ENCODER_MEMBERS, default_precision
from runners.models.onnx_session import find_execution_provider
from runners.remote.placement import runner_call_path
from runners.remote.tensor_codec import Arrays, pack, scores_to_arrays, unpack
from runners.services.heartbeats import Heartbeats, run_folder
from runners.services.pinned_run import load_run_settings
from runners.services.process_manager import use_private_sockets

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, for messages before `configure_logging`

terminate_when_parent_ends()
SETTINGS, _ = load_run_settings()
if server_context.worker_index is None:  # a master of only this service, on a separate host
    use_private_sockets(SETTINGS.run)
BENTOML_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
QUIET_S = 1.0
"""After SIGTERM, a runner stops if it had no call for this time. The remaining requests of an API worker reach the
models within milliseconds of the signal."""


class Runner:
    """The inner class of a runner service. `answer` maps the arrays of a call to the arrays of its response."""

    def __init__(self, bundle: Bundle, answer: Callable[[Arrays], Arrays]) -> None:
        self.path = runner_call_path(bundle.version)
        self._answer = answer
        self._batcher: Batcher[bytes, bytes] = Batcher(
            self._run, BatchLimits(max_batch=1, max_waiting=SETTINGS.model.max_waiting_texts)
        )
        self._active_calls = 0
        self._last_call = 0.0
        self._heartbeats = Heartbeats(
            run_folder(SETTINGS.run, os.getppid()),
            server_context.service_name,
            interval_s=SETTINGS.server.heartbeat_interval_s,
            timeout_s=SETTINGS.server.heartbeat_timeout_s,
        )

    async def call(self, body: bytes) -> bytes:
        """Return the response to one call; raises as `Batcher.submit` and `answer`."""
        self._active_calls += 1
        try:
            (response,) = await self._batcher.submit([body], Deadline.after(SETTINGS.server.request_timeout_s))
        finally:
            self._active_calls -= 1
            self._last_call = time.monotonic()
        return response

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML has no types
    async def open(self) -> None:
        os.umask(PRIVATE_UMASK)
        drop_cwd_from_sys_path()
        configure_logging(SETTINGS.observability.log_level)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._delay_signal(number)
        self._heartbeats.start()
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # as above
    async def close(self) -> None:
        await self._heartbeats.stop()
        await self._batcher.close()

    def _run(self, bodies: Sequence[bytes]) -> list[bytes]:
        return [pack(self._answer(unpack(body))) for body in bodies]

    def _delay_signal(self, number: signal.Signals) -> None:
        """Pass the signal to the web server after `QUIET_S` without calls, at most drain and grace time later."""
        stop: Any = signal.getsignal(number)
        loop = asyncio.get_running_loop()

        async def wait(frame: FrameType | None) -> None:
            drained_at = time.monotonic() + SETTINGS.server.drain_s  # the API workers accept requests until then
            while (left_s := self._stop_time(drained_at) - time.monotonic()) > 0:
                await asyncio.sleep(left_s)
            stop(number, frame)

        def handle(_: int, frame: FrameType | None) -> None:
            asyncio.run_coroutine_threadsafe(wait(frame), loop)

        signal.signal(number, handle)

    def _stop_time(self, stopped_at: float) -> float:
        """Return the earliest time at which the runner may stop, by the current state."""
        last = time.monotonic() if self._active_calls else max(stopped_at, self._last_call)
        return min(last + QUIET_S, stopped_at + SETTINGS.server.shutdown_grace_s)


class RunnerPort(Protocol):
    """A runner, as `RunnerApp` uses it: the path of its calls, and the response to a call."""

    path: str

    async def call(self, body: bytes) -> bytes: ...


class RunnerApp:
    """ASGI application. Calls go to the runner of this process, and `BENTOML_PATHS` to BentoML's application."""

    def __init__(self, native: ASGIApp, runner: Callable[[], RunnerPort]) -> None:
        self._native = native
        self._runner = runner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in BENTOML_PATHS:
            await self._native(scope, receive, send)
            return
        runner = self._runner()
        status, body = 404, b""
        if scope["path"] == runner.path:
            status, body = await _answer(runner, await _read_request_body(receive))
        headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@attrs.define(eq=False)
class RunnerService(Service[Runner]):  # type: ignore[misc]  # BentoML's SDK is skipped by the type checker
    """A BentoML service that serves its inner `Runner` through a `RunnerApp`."""

    def to_asgi(self, is_main: bool = True) -> Any:
        return RunnerApp(super().to_asgi(is_main), bentoml.get_current_service)


def open_pinned_bundle() -> Bundle:
    """Open and verify the bundle that the serving master has pinned for all processes."""
    path = SETTINGS.model.bundle or champion_path(SETTINGS.bundles)
    return open_signed(path, SETTINGS.keys, SETTINGS.security.bundle_keys)


def load_member_handler(
    bundle: Bundle, names: Sequence[str], read: Callable[[Arrays], ModelBatch]
) -> Callable[[Arrays], Arrays]:
    """Load the members `names` that the bundle has. Return a call handler that scores the requested members.

    `read` builds the batch from the arrays of a call. The array `wanted` marks the requested members, in the order of
    the bundle.
    """
    provider = find_execution_provider_for_members(names, SETTINGS)
    setting = SETTINGS.model.precision  # the serving master has already resolved and pinned `auto`
    precision = default_precision(provider) if setting == "auto" else setting
    members = [
        load_member(name, bundle.files / "members", SETTINGS.model.onnx_threads, provider, precision)
        for name in bundle.manifest.members
        if name in names
    ]

    def answer(arrays: Arrays) -> Arrays:
        batch = read(arrays)
        requested = zip(members, arrays["wanted"], strict=True)
        return scores_to_arrays(
            {member.name: member.scores(batch) for member, is_requested in requested if is_requested}
        )

    return answer


def find_execution_provider_for_members(names: Sequence[str], settings: Settings) -> ExecutionProvider:
    """Return the execution provider for a process with the members `names`; without encoders always the CPU.

    Raises:
        ConfigurationError: the configured provider does not work on this machine.
    """
    if not set(names) & set(ENCODER_MEMBERS):
        return ON_CPU
    provider = find_execution_provider(settings.model.provider, settings.engines)
    _log.info("Encoders run on %s (%s).", provider.name, provider.because)
    return provider


async def _answer(runner: RunnerPort, body: bytes) -> tuple[int, bytes]:
    """Return status and body. Exceptions are not sent, because their messages may contain customer text."""
    try:
        return 200, await runner.call(body)
    except (Overloaded, DeadlineExceeded):
        return 503, b""
    except Exception as error:  # noqa: BLE001 - any error of a model is logged, and the next call is answered
        log_failure(error, request_id="")
        return 500, b""


async def _read_request_body(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)
