"""The gRPC server of one worker, on the worker's event loop: its options, start and stop.

All workers listen on one port, and the kernel distributes connections among them (SO_REUSEPORT). One connection uses
one worker; a client reaches several workers with several channels, or when its connections reach their maximum age.
`bentos/wiring/port_check.py` checks once, before any worker starts, that no other program listens on the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from dataclasses import dataclass

import grpc

from bentos.grpc.call_handlers import CallHandlers, Servicer
from bentos.grpc.connection_closer import HOLD_S
from bentos.grpc.frontdesk_service import FrontdeskService
from bentos.grpc.health import HealthService
from bentos.grpc.oip_service import InferenceService
from bentos.grpc.receiver import WINDOW_BYTES, max_grpc_core_message_bytes
from bentos.grpc.reflection import ReflectionService
from bentos.http.descriptors import grpc_connection_cap
from bentos.http.tls import read_tls_key_pair
from bentos.worker.worker_context import WorkerContext
from frontdesk.config import ServerSettings, Settings

KEEPALIVE_TIME_S = 60
KEEPALIVE_TIMEOUT_S = 20
MIN_PING_INTERVAL_S = 10
"""Clients behind load balancers send keepalive pings about this often. gRPC's default minimum of five minutes would
close their connections."""
MAX_CONNECTION_AGE_S = 600
"""After this time a client has to reconnect, so that it can reach workers that were started later."""
MAX_CONCURRENT_STREAMS = 128
"""Calls in flight on one connection; clients queue further calls, so thousands of calls need many connections."""
MAX_PENDING_CALLS = 1_000_000
"""No limit in practice. At its default limit of 1,000 to 3,000 calls that wait to be accepted, core cancels calls of
all clients at random, and clients without a token can reach that limit. Each connection has at most
`MAX_CONCURRENT_STREAMS` calls."""
NOTICE_S = 0.2
"""Time before connections are closed, for the last responses and for health watchers to see NOT_SERVING."""
CLOSING_S = 1.0
MIN_CLOSING_S = 0.5
"""Minimum time for core to end calls and connections, even if the grace time is shorter."""
MAX_IDLE_S = 120
"""A connection without calls is closed after this time; a client reconnects with its next call."""
METADATA_MARGIN = 4
"""Core's limit of metadata as a multiple of `max_header_bytes`. Between the two limits, refusals have error details."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """A running server with its call handlers and its health service."""

    server: grpc.aio.Server
    call_handlers: CallHandlers
    health: HealthService

    async def mark_not_serving(self) -> None:
        """Report NOT_SERVING to health checks and watchers; other calls are answered as before."""
        self.health.set_not_serving()

    async def stop(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, and wait for calls in flight; return within `grace_s`.

        The last `CLOSING_S` or the last half of `grace_s`, whichever is shorter, are for cancelling calls and closing
        connections. Streams that never end, such as Watch of the health service, are cancelled when no other call is in
        flight.
        """
        await self.mark_not_serving()
        self.call_handlers.close()
        closing_s = min(CLOSING_S, grace_s / 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s - closing_s):
                await self.call_handlers.wait_until_idle()
                await asyncio.sleep(NOTICE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(closing_s, MIN_CLOSING_S)):
                await self.server.stop(min(closing_s / 2, NOTICE_S))


async def start_grpc(worker: WorkerContext, settings: Settings, port: int) -> GrpcServer:
    """Start the server on `port`. `worker` must be ready.

    Raises:
        RuntimeError: gRPC cannot listen on the port.
    """
    server = grpc.aio.server(options=_options(settings.server))
    call_handlers, health = await add_services(server, worker, settings, port)
    server.add_generic_rpc_handlers([call_handlers.build_unknown_method_handler()])
    host = settings.server.host
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if (key_pair := read_tls_key_pair(settings.server)) is None:
        server.add_insecure_port(address)
    else:
        server.add_secure_port(address, grpc.ssl_server_credentials([key_pair]))
    await server.start()
    return GrpcServer(server, call_handlers, health)


async def add_services(
    server: grpc.aio.Server, worker: WorkerContext, settings: Settings, port: int = 0
) -> tuple[CallHandlers, HealthService]:
    """Add the services to the server: Frontdesk, Open Inference, health and reflection. `port` is the server's port."""
    call_handlers = CallHandlers(worker, settings, port)
    own_services: tuple[Servicer, ...] = (FrontdeskService(worker.models.pipeline), InferenceService(worker))
    names = [servicer.descriptor.full_name for servicer in own_services]
    health = HealthService(names)
    reflection = ReflectionService((*names, HealthService.descriptor.full_name, ReflectionService.descriptor.full_name))
    servicers: tuple[Servicer, ...] = (
        *own_services,
        health,
        *([reflection] if settings.server.grpc_reflection else []),
    )
    server.add_generic_rpc_handlers([call_handlers.build_handlers(servicer) for servicer in servicers])
    return call_handlers, health


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", max_grpc_core_message_bytes(settings)),
        ("grpc.per_message_decompression", 0),
        ("grpc.http2.bdp_probe", 0),  # it would let the window of an unread stream grow to megabytes
        ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
        ("grpc.max_metadata_size", METADATA_MARGIN * settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", METADATA_MARGIN * settings.max_header_bytes),
        ("grpc.server_handshake_timeout_ms", round(settings.header_timeout_s * 1000)),
        ("grpc.http2.settings_timeout", round((settings.header_timeout_s + HOLD_S[1]) * 1000)),
        ("grpc.max_connection_idle_ms", MAX_IDLE_S * 1000),
        ("grpc.max_concurrent_streams", MAX_CONCURRENT_STREAMS),
        ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING_CALLS),
        ("grpc.max_allowed_incoming_connections", grpc_connection_cap(resource.getrlimit(resource.RLIMIT_NOFILE)[0])),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_S * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_S * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_S * 1000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", MIN_PING_INTERVAL_S * 1000),
        ("grpc.max_connection_age_ms", MAX_CONNECTION_AGE_S * 1000),
        ("grpc.max_connection_age_grace_ms", round(max(settings.request_timeout_s, settings.batch_timeout_s) * 1000)),
    ]
