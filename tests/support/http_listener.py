"""A uvicorn server with the hardened protocol in this process, with short timeouts, for tests of connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
import uvicorn.config

from bentos.http.connection_table import ConnectionLimits, ConnectionTable
from bentos.http.hardened_protocol import HardenedProtocol
from bentos.http.hardened_server import HardenedServer, install_hardened_server
from frontdesk.config import ServerSettings

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass
class RecordedEvents:
    """Records the events of connections."""

    reasons: list[str] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    open: int = 0

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)

    def on_connection_count(self, connections: int) -> None:
        self.open = connections

    def on_request_refused(self, status: int, request_id: str, client: str | None) -> None:
        self.refusals.append((status, request_id))


@dataclass
class Listener:
    port: int
    events: RecordedEvents
    server: HardenedServer
    table: ConnectionTable

    async def connect(self, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from the address `host`, one of 127.0.0.0/8."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(host, 0))

    async def seconds_until_closed(
        self, *pieces: bytes, pause_s: float = 0.0, patience_s: float = 5.0
    ) -> tuple[float, bytes]:
        """Send the pieces. Returns the seconds until the server closed the connection, and all received bytes."""
        reader, writer = await self.connect()
        started = time.monotonic()
        answered = bytearray()

        async def read() -> float:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(patience_s):
                    while piece := await reader.read(65_536):
                        answered.extend(piece)
            return time.monotonic() - started

        reading = asyncio.create_task(read())
        with contextlib.suppress(ConnectionError, RuntimeError):  # uvloop raises RuntimeError on a closed transport
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        seconds = await reading
        writer.close()
        return seconds, bytes(answered)


async def answer_ok(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 200 without reading the body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Restore the parts of uvicorn that `install_hardened_server` replaces."""
    protocol, server = uvicorn.config.HTTP_PROTOCOLS["auto"], uvicorn.Server
    try:
        yield
    finally:
        uvicorn.config.HTTP_PROTOCOLS["auto"], uvicorn.Server = protocol, server  # type: ignore[misc]


@contextlib.asynccontextmanager
async def listening(
    application: Application = answer_ok, *, tls: dict[str, Any] | None = None, **limits: Any
) -> AsyncIterator[Listener]:
    """`limits` are those of ConnectionLimits; `tls` the SSL options of uvicorn."""
    events = RecordedEvents()
    with restored():
        install_hardened_server(ServerSettings(), events)
        short = {"header_timeout_s": 0.3, "keep_alive_s": 30.0, "max_header_bytes": 1000, **limits}
        table = HardenedProtocol.table = ConnectionTable(ConnectionLimits(**short), events)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application, lifespan="off", log_config=None, timeout_graceful_shutdown=2, loop="none", **(tls or {})
        )
        server = HardenedServer(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[sock])
        try:
            yield Listener(sock.getsockname()[1], events, server, table)
        finally:
            for connection in [*table]:
                connection.abort("test")
            for listening_server in server.servers:
                listening_server.close()
            assert server.sweep_task is not None
            server.sweep_task.cancel()
            await asyncio.sleep(0)
