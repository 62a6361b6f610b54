"""One worker's gRPC server, on its own event loop. All workers listen on one port: the kernel gives each a share of the
connections (SO_REUSEPORT), so a client spreads over them with several channels, or as its connections age.

Knows nothing of what its servicers do, nor of whether anybody else holds the port: `bentos/ports.py` asks that once,
before any worker starts.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from bentos.desk import Desk
from bentos.grpc.admission import Admission, Servicer
from bentos.grpc.service import FrontdeskService
from bentos.oip.grpc_service import InferenceService
from bentos.tls import read_tls
from frontdesk.config import ServerSettings, Settings

KEEPALIVE_TIME_S = 60
KEEPALIVE_TIMEOUT_S = 20
LEAST_PING_INTERVAL_S = 10
"""Clients behind a load balancer ping about as often; gRPC's own limit of five minutes would close their connection."""
MOST_CONNECTION_AGE_S = 600
"""After this a connection is asked to come back, perhaps to a worker that was started later."""
MOST_STREAMS = 1024
"""Calls at once over one connection. What may wait for the models is the batcher's to say."""
TOLD_S = 0.2
"""For clients to hear that the server stops, before their connection is closed; then for the last answers to leave."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """A server that runs, until it is stopped."""

    server: grpc.aio.Server
    admission: Admission
    health: health.aio.HealthServicer

    async def stop(self, grace_s: float) -> None:
        """Say NOT_SERVING, refuse new calls, let those in flight finish; after `grace_s` they are cancelled.

        Those that have a stream open without end, such as health's Watch, are cut off once no call is in flight.
        """
        await self.health.enter_graceful_shutdown()
        self.admission.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.admission.idle()
                await asyncio.sleep(TOLD_S)
        await self.server.stop(TOLD_S)


async def start_grpc(desk: Desk, settings: Settings, port: int) -> GrpcServer:
    """Open the port and answer: to be called once everything behind it is ready.

    Raises:
        RuntimeError: gRPC cannot listen there.
    """
    server = grpc.aio.server(options=_options(settings.server))
    admission, states = await add_services(server, desk, settings)
    host = settings.server.host
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if (pair := read_tls(settings.server)) is None:
        server.add_insecure_port(address)
    else:
        server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    await server.start()
    return GrpcServer(server, admission, states)


async def add_services(
    server: grpc.aio.Server, desk: Desk, settings: Settings
) -> tuple[Admission, health.aio.HealthServicer]:
    """Everything that the server answers: ours through the door, health and reflection for everybody."""
    admission = Admission(desk, settings)
    servicers: tuple[Servicer, ...] = (FrontdeskService(desk.pipeline), InferenceService(desk))
    server.add_generic_rpc_handlers([admission.handlers(servicer) for servicer in servicers])
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    names = [servicer.descriptor.full_name for servicer in servicers]
    for name in ("", *names):
        await states.set(name, health_pb2.HealthCheckResponse.SERVING)
    if settings.server.grpc_reflection:
        reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return admission, states


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_batch_body_bytes),
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_concurrent_streams", MOST_STREAMS),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_S * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_S * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", LEAST_PING_INTERVAL_S * 1000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", LEAST_PING_INTERVAL_S * 1000),
        ("grpc.max_connection_age_ms", MOST_CONNECTION_AGE_S * 1000),
        ("grpc.max_connection_age_grace_ms", round(settings.request_timeout_s * 1000)),
    ]
