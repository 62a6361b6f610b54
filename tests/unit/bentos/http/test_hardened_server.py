"""The server around the connections: TLS handshakes with a deadline, and SIGTERM with a drain."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import time
from pathlib import Path

import pytest
import uvicorn
import uvloop
from _bentoml_impl.worker import service as bentoml_worker

from bentos.http.hardened_protocol import HardenedProtocol
from bentos.http.hardened_server import HardenedServer, install_hardened_server
from bentos.http.tls import CIPHERS, tls_serve_options
from frontdesk.config import ServerSettings
from tests.e2e.test_tls import certificate
from tests.support.http_listener import RecordedEvents, answer_ok, listening, restored

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy")


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The event loop of workers."""
    return uvloop.EventLoopPolicy()


class TestTls:
    async def test_a_silent_handshake_ends_at_the_header_timeout(self, tmp_path: Path) -> None:
        async with listening(tls=files(tmp_path), max_per_address=1) as listener:
            started = time.monotonic()
            reader, writer = await listener.connect()
            await asyncio.sleep(0.1)
            assert len(listener.table) == 1
            beyond, _ = await listener.connect()
            await asyncio.wait_for(_ended(beyond), 1)
            assert listener.events.reasons == ["address_cap"]
            await asyncio.wait_for(_ended(reader), 3)
            assert time.monotonic() - started < 2
            assert listener.events.reasons == ["address_cap", "handshake"]
            assert len(listener.table) == 0
            writer.close()

    async def test_a_request_right_behind_the_handshake_is_answered(self, tmp_path: Path) -> None:
        async with listening(tls=files(tmp_path)) as listener:
            for _ in range(5):
                answered = await asyncio.to_thread(ask, listener.port, tmp_path)
                assert answered.endswith(b"ok")
        assert listener.events.reasons == ["test"] * len(listener.events.reasons)

    async def test_tls_1_2_has_only_authenticated_ciphers(self, tmp_path: Path) -> None:
        async with listening(tls=files(tmp_path)) as listener:
            for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
                assert (await asyncio.to_thread(ask, listener.port, tmp_path, cipher)).endswith(b"ok")
            for cipher in ("ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256"):
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    await asyncio.to_thread(ask, listener.port, tmp_path, cipher)
                    raise AssertionError(f"{cipher} was accepted")

    def test_bentoml_gets_the_ciphers(self, tmp_path: Path) -> None:
        certificate_file, key = certificate(tmp_path)
        options = tls_serve_options(ServerSettings(tls_certificate=certificate_file, tls_key=key))
        assert options[-2:] == ["--ssl-ciphers", CIPHERS]


class TestSigterm:
    async def test_requests_are_answered_while_the_server_drains_and_connections_close(self) -> None:
        events: list[str] = []

        async def drained() -> None:
            events.append("drain")

        async def stopped() -> None:
            events.append("stop")

        with restored():
            settings = ServerSettings(drain_s=0.6, shutdown_grace_s=2)
            install_hardened_server(settings, RecordedEvents(), on_drain=drained, on_stop=stopped)
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            server = HardenedServer(uvicorn.Config(answer_ok, lifespan="off", log_config=None, loop="none"))
            running = asyncio.create_task(server._serve([sock]))
            while not server.started:
                await asyncio.sleep(0.01)
            port = sock.getsockname()[1]
            early_reader, early_writer = await asyncio.open_connection("127.0.0.1", port)
            early_writer.write(GET)
            assert b"connection: close" not in await early_reader.readuntil(b"ok")

            started = time.monotonic()
            server.handle_exit(signal.SIGTERM, None)
            server.handle_exit(signal.SIGTERM, None)
            await asyncio.sleep(0.3)
            assert (events, HardenedProtocol.table.is_draining, running.done()) == (["drain"], True, False)
            fresh_reader, fresh = await asyncio.open_connection("127.0.0.1", port)
            for reader, writer in ((early_reader, early_writer), (fresh_reader, fresh)):
                writer.write(GET)
                answered = await asyncio.wait_for(reader.read(), 2)
                assert answered.startswith(b"HTTP/1.1 200 ")
                assert b"connection: close" in answered
            await asyncio.wait_for(running, 5)
            assert 0.6 <= time.monotonic() - started < 2.5
            assert events == ["drain", "stop"]
            for writer in (early_writer, fresh):
                writer.close()

    def test_without_a_drain_sigterm_stops_at_once(self) -> None:
        with restored():
            install_hardened_server(ServerSettings(), RecordedEvents())
            server = HardenedServer(uvicorn.Config(answer_ok, log_config=None))
            server.handle_exit(signal.SIGTERM, None)
            assert server.should_exit

    def test_a_worker_of_bentoml_uses_our_server_and_protocol(self) -> None:
        """It imports uvicorn when it starts, and requests the protocol "auto"."""
        source = Path(bentoml_worker.__file__).read_text(encoding="utf-8")
        assert "uvicorn.Server(config).run(sockets=[socket])" in source
        with restored():
            install_hardened_server(ServerSettings(), RecordedEvents())
            assert uvicorn.Server is HardenedServer
            config = uvicorn.Config(answer_ok, log_config=None)
            config.load()
            assert config.http_protocol_class is HardenedProtocol


def files(folder: Path) -> dict[str, str]:
    certificate_file, key = certificate(folder)
    return {"ssl_certfile": str(certificate_file), "ssl_keyfile": str(key)}


def ask(port: int, folder: Path, cipher: str | None = None) -> bytes:
    """Send one request over TLS; over TLS 1.2 if a cipher is given."""
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    if cipher is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(cipher)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(GET[:-4] + b"\r\nconnection: close\r\n\r\n")
        answered = b""
        with contextlib.suppress(ssl.SSLEOFError, ConnectionError):
            while piece := client.recv(4096):
                answered += piece
        return answered


async def _ended(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
