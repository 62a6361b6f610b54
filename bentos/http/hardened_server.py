"""uvicorn's server with our HTTP protocol. Connections are counted before the TLS handshake; SIGTERM starts a drain.

    SIGTERM -> draining (`server.drain_s`): not ready, requests are answered, connections close after their response
            -> stopping (`server.shutdown_grace_s`): the listener is closed, requests in flight are finished

`install_hardened_server` replaces the server and the protocol of BentoML's worker. The versions of BentoML and uvicorn
are pinned, and a test checks the replacement.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import contextlib
import functools
import logging
import signal
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, ClassVar

import uvicorn
import uvicorn.config
import uvloop
import uvloop.loop

from bentos.http.connection_table import ConnectionEvents, ConnectionLimits, ConnectionTable
from bentos.http.hardened_protocol import HardenedProtocol
from bentos.http.tls import harden
from frontdesk.config import ServerSettings

_log = logging.getLogger("bentoml.frontdesk")

PROTOCOL_NAME = "auto"
"""Name of the protocol that BentoML's workers request from uvicorn."""
MAX_UNSENT_BYTES = 65_536
"""Maximum number of response bytes in the kernel that are not yet sent to the client."""
HOOK_TIMEOUT_S = 1.0
TLS_CLOSE_S = 1.0

Hook = Callable[[], Awaitable[None]]


async def _do_nothing() -> None:
    pass


class HardenedServer(uvicorn.Server):
    """uvicorn's server with a drain. `on_drain` runs when the drain begins, `on_stop` before the listener closes."""

    drain_s: ClassVar[float] = 0.0
    grace_s: ClassVar[int] = 20
    on_drain: ClassVar[Hook] = staticmethod(_do_nothing)
    on_stop: ClassVar[Hook] = staticmethod(_do_nothing)

    _drain_ends_at: float | None = None
    _drain_is_announced = False
    sweep_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        config, table = self.config, HardenedProtocol.table
        if config.timeout_graceful_shutdown is None:
            config.timeout_graceful_shutdown = self.grace_s
        if config.ssl is not None:
            context, config.ssl = harden(config.ssl), None
            handshake = functools.partial(TlsHandshake, context, config.http_protocol_class, table)
            config.http_protocol_class = handshake  # type: ignore[assignment]
        for listener in sockets or ():
            _set_unread_response_limits(listener, table.limits.response_stall_s)
        await super().startup(sockets)
        self.sweep_task = asyncio.get_running_loop().create_task(_sweep_connections_periodically(table))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain at the first SIGTERM. SIGINT (Ctrl-C) stops without a drain."""
        super().handle_exit(sig, frame)
        if sig == signal.SIGTERM and self.drain_s > 0 and not self.force_exit:
            if self._drain_ends_at is None:
                self._drain_ends_at = time.monotonic() + self.drain_s
            self.should_exit = time.monotonic() >= self._drain_ends_at

    async def on_tick(self, counter: int) -> bool:
        if self._drain_ends_at is not None:
            if not self._drain_is_announced:
                self._drain_is_announced = True
                _log.info("Draining for %g s: not ready, requests are still answered.", self.drain_s)
                await _run_hook(type(self).on_drain)
                HardenedProtocol.table.is_draining = True  # after the hook, so that HTTP never reports it before gRPC
            if time.monotonic() >= self._drain_ends_at:
                self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        HardenedProtocol.table.is_draining = True
        await _run_hook(type(self).on_stop)
        await super().shutdown(sockets)
        if self.sweep_task is not None:
            self.sweep_task.cancel()


class TlsHandshake(asyncio.Protocol):
    """A connection during its TLS handshake, which may take `header_timeout_s`. Then the HTTP protocol takes over."""

    deadline = float("inf")  # the handshake has its own time limit
    progress_at = 0.0
    may_be_evicted = True

    def __init__(
        self, context: ssl.SSLContext, protocol: Callable[..., Any], table: ConnectionTable, **uvicorn_options: Any
    ) -> None:
        self._context = context
        self._protocol = protocol
        self._table = table
        self._uvicorn_options = uvicorn_options
        self._is_aborted = False
        self._raw_transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Begin the handshake immediately, as the loop's servers do; `start_tls` would begin it one iteration later."""
        self._raw_transport = transport
        peer = transport.get_extra_info("peername")
        if (reason := self._table.admit(self, peer[0] if peer else None)) is not None:
            self.abort(reason)
            return
        loop = asyncio.get_running_loop()
        handshake_future = loop.create_future()
        handshake_future.add_done_callback(self._on_handshake_done)
        module: Any = uvloop.loop if isinstance(loop, uvloop.Loop) else asyncio.sslproto  # both define SSLProtocol
        tls = module.SSLProtocol(
            loop,
            self._protocol(**self._uvicorn_options, on_connection=self._leave_table),
            self._context,
            handshake_future,
            server_side=True,
            ssl_handshake_timeout=self._table.limits.header_timeout_s,
            ssl_shutdown_timeout=TLS_CLOSE_S,
        )
        transport.set_protocol(tls)
        tls.connection_made(transport)

    def _leave_table(self) -> None:
        """Leave the table, in which the HTTP protocol enters the connection."""
        self._table.remove(self)

    def _on_handshake_done(self, handshake_future: asyncio.Future[None]) -> None:
        self._table.remove(self)
        if not handshake_future.cancelled() and handshake_future.exception() is not None and not self._is_aborted:
            self._table.events.on_closed("handshake")

    def expire_or_get_unsent_bytes(self, _: float) -> int:
        return 0

    def begin_pipelined_request(self) -> bool:
        return True

    def abort(self, reason: str) -> None:
        self._is_aborted = True
        self._table.events.on_closed(reason)
        self._raw_transport.abort()


def _set_unread_response_limits(listener: socket.socket, stall_s: float) -> None:
    """Set socket options that accepted connections inherit. The kernel drops a client that accepts no data for
    `stall_s`, and buffers at most `MAX_UNSENT_BYTES` unsent bytes. On systems without these options (macOS), only the
    limits of the protocol apply."""
    for option, value in (("TCP_USER_TIMEOUT", round(stall_s * 1000)), ("TCP_NOTSENT_LOWAT", MAX_UNSENT_BYTES)):
        with contextlib.suppress(OSError, AttributeError):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


async def _sweep_connections_periodically(table: ConnectionTable) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(table.limits.sweep_interval_s)
        try:
            table.sweep(loop.time())
        except Exception:  # noqa: BLE001 - a defect of one connection must not stop the sweep
            _log.exception("The sweep over connections failed.")


async def _run_hook(hook: Hook) -> None:
    """Run a hook with a time limit. A hook that fails or hangs does not keep the server from stopping."""
    try:
        async with asyncio.timeout(HOOK_TIMEOUT_S):
            await hook()
    except Exception:  # noqa: BLE001 - the server must stop
        _log.exception("A hook of the shutdown failed.")


def install_hardened_server(
    settings: ServerSettings, events: ConnectionEvents, *, on_drain: Hook = _do_nothing, on_stop: Hook = _do_nothing
) -> ConnectionTable:
    """Use the hardened server and protocol in this process. Return the table of connections."""
    table = HardenedProtocol.table = ConnectionTable(ConnectionLimits.from_settings(settings), events)
    HardenedServer.drain_s = settings.drain_s
    HardenedServer.grace_s = settings.shutdown_grace_s
    HardenedServer.on_drain = staticmethod(on_drain)
    HardenedServer.on_stop = staticmethod(on_stop)
    uvicorn.config.HTTP_PROTOCOLS[PROTOCOL_NAME] = HardenedProtocol  # type: ignore[assignment]  # classes too
    uvicorn.Server = HardenedServer  # type: ignore[misc]  # BentoML's worker reads it when it starts
    return table
