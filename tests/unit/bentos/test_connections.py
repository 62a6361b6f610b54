"""Slow clients: uvicorn with our protocol closes a connection whose headers do not come, or do not end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import uvicorn

from bentos.connections import ImpatientConnection, install

TIMEOUT_S = 0.3


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("timeout_s", "most_bytes"):
        monkeypatch.setattr(ImpatientConnection, name, getattr(ImpatientConnection, name))
    before = uvicorn.config.HTTP_PROTOCOLS["auto"]
    yield
    uvicorn.config.HTTP_PROTOCOLS["auto"] = before


@contextlib.asynccontextmanager
async def listening(see: Callable[[dict], object] = bool) -> AsyncIterator[int]:
    async def application(scope: dict, receive: object, send: object) -> None:
        see(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    install(TIMEOUT_S, 1000)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None, timeout_keep_alive=30))
    running = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def closed_after(port: int, *pieces: bytes, pause_s: float = 0.0) -> tuple[float, bytes]:
    """Seconds until the server closed, and what it had said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    said = b""
    with contextlib.suppress(ConnectionError):
        said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return time.monotonic() - began, said


@pytest.mark.parametrize(
    "pieces",
    [(), (b"G",), (b"GET / HTTP/1.1\r\nhost: x\r\n",), (b"GET / HTTP/1.1\r\n", b"a: b\r\n", b"c: d\r\n")],
    ids=["nothing", "a letter", "no end", "line by line"],
)
async def test_headers_that_do_not_come_end_the_connection(pieces: tuple[bytes, ...]) -> None:
    async with listening() as port:
        seconds, said = await closed_after(port, *pieces, pause_s=0.05)
    assert said == b""
    assert seconds < TIMEOUT_S + 2


async def test_headers_without_end_are_not_kept() -> None:
    line = b"a: " + b"b" * 500 + b"\r\n"
    async with listening() as port:
        seconds, said = await closed_after(port, b"GET / HTTP/1.1\r\n", *[line] * 50, pause_s=0.001)
    assert (said, seconds < 2) == (b"", True)


async def test_a_second_request_on_a_connection_is_watched_too() -> None:
    whole = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    async with listening() as port:
        _, said = await closed_after(port, whole, b"GET / HT", pause_s=0.1)
    assert said.endswith(b"ok")


async def test_a_connection_that_waits_between_requests_is_left_alone() -> None:
    whole = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    async with listening() as port:
        _, said = await closed_after(port, whole, whole, b"G", pause_s=TIMEOUT_S * 2)
    assert said.count(b"200 OK") == 2


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"


@pytest.mark.parametrize(
    "piece", [b"2;" + b"a" * 500, b"2\r\n{}\r\n0\r\nx: " + b"a" * 500], ids=["an extension", "a trailer"]
)
async def test_what_is_no_body_is_not_read_for_ever(piece: bytes) -> None:
    async with listening() as port:
        seconds, _ = await closed_after(port, CHUNKED + b"\r\n", piece, *[b"a" * 500] * 50, pause_s=0.001)
    assert seconds < 2


async def test_a_large_body_in_chunks_of_one_byte_is_read_to_its_end() -> None:
    small = b"1\r\nx\r\n" * 5000
    async with listening() as port:
        _, said = await closed_after(
            port, CHUNKED + b"\r\n", *[small] * 4, b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\nG", pause_s=0.01
        )
    assert said.count(b"200 OK") == 2


async def test_a_trailer_is_no_header() -> None:
    """As one packet: what the application is given is read before it runs."""
    seen: list[bytes] = []
    async with listening(lambda scope: seen.extend(name for name, _ in scope["headers"])) as port:
        await closed_after(port, CHUNKED + b"connection: close\r\n\r\n0\r\nauthorization: Bearer x\r\n\r\n")
    assert seen == [b"host", b"transfer-encoding", b"connection"]
