"""Attacks on gRPC with many cheap calls: `python -m tests.hostile.flood.calls KIND PORT CONNECTIONS ADDRESSES SECONDS`.

None has a token. Header fields after the first call of a connection are indices into the dynamic table (RFC 7541), so a
call takes 15 bytes, and 28 with its reset. A connection that the server closes is opened again after `RECONNECT_S`.
Prints a JSON line at the end: calls sent, bytes sent, connections opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from tests.hostile.flood.attacker import addresses
from tests.support.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame
from tests.support.serving import PROJECT

Kind = Literal["resets", "refused_calls", "health_checks"]
KINDS: tuple[Kind, ...] = ("resets", "refused_calls", "health_checks")
CALLS_AT_ONCE = 100
PAUSE_S = 0.1
"""Between two bursts of a connection. Without it, the attacker would take the processor of the machine under test."""
RECONNECT_S = 0.05
TIMEOUT_S = 5.0

_CANCEL = (8).to_bytes(4, "big")
_PATHS: dict[Kind, bytes] = {
    "resets": b"/frontdesk.v1.FrontdeskService/Understand",
    "refused_calls": b"/frontdesk.v1.FrontdeskService/Understand",
    "health_checks": b"/grpc.health.v1.Health/Check",
}
_INDEXED_BLOCK = bytes((0x83, 0x86, 0xC1, 0xC0, 0xBF, 0xBE))


@dataclass
class Sent:
    """What the attacker has sent."""

    calls: int = 0
    bytes: int = 0
    connections: int = 0


@contextlib.contextmanager
def flooding(kind: Kind, port: int, *, connections: int, address_count: int, seconds: float) -> Iterator[None]:
    """Attack a port of 127.0.0.1 from another process within the context, and print what was sent."""
    arguments = (kind, str(port), str(connections), str(address_count), str(seconds))
    process = subprocess.Popen([sys.executable, "-m", __name__, *arguments], cwd=PROJECT)
    try:
        yield
        assert process.wait(seconds + 30.0) == 0
    finally:
        process.kill()
        process.wait()


async def flood(kind: Kind, port: int, connections: int, address_count: int, seconds: float) -> Sent:
    """Send bursts over all connections for this long."""
    sent, sources = Sent(), addresses(address_count)
    tasks = [
        asyncio.create_task(_repeat(kind, port, sources[index % address_count], sent)) for index in range(connections)
    ]
    _, pending = await asyncio.wait(tasks, timeout=seconds)
    if len(pending) < len(tasks):
        raise RuntimeError("A connection of the attacker ended early.")
    return sent


async def _repeat(kind: Kind, port: int, source: str, sent: Sent) -> None:
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(OSError, EOFError), socket.socket() as connection:
            connection.setblocking(False)
            connection.bind((source, 0))
            async with asyncio.timeout(TIMEOUT_S):
                await loop.sock_connect(connection, ("127.0.0.1", port))
            sent.connections += 1
            await _send_bursts(kind, connection, sent)
        await asyncio.sleep(RECONNECT_S)


async def _send_bursts(kind: Kind, connection: socket.socket, sent: Sent) -> None:
    """Bursts of `CALLS_AT_ONCE` calls, each after the responses to the one before, until the server closes."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))
    stream, unread = 1, b""
    while True:
        burst = b"".join(_call(kind, stream + 2 * index, first=stream + index == 1) for index in range(CALLS_AT_ONCE))
        stream += 2 * CALLS_AT_ONCE
        async with asyncio.timeout(TIMEOUT_S):
            await loop.sock_sendall(connection, burst)
        sent.calls += CALLS_AT_ONCE
        sent.bytes += len(burst)
        open_calls = 0 if kind == "resets" else CALLS_AT_ONCE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S if open_calls else PAUSE_S):
                while open_calls or kind == "resets":
                    if not (received := await loop.sock_recv(connection, 65_536)):
                        raise EOFError
                    ended, unread = _ended_streams(unread + received)
                    open_calls = max(0, open_calls - ended)
        if kind != "resets":
            await asyncio.sleep(PAUSE_S)


def _call(kind: Kind, stream: int, *, first: bool) -> bytes:
    block = _first_block(_PATHS[kind]) if first else _INDEXED_BLOCK
    if kind == "resets":
        return frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, _CANCEL)
    if kind == "refused_calls":
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
    return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, bytes(5))


def _first_block(path: bytes) -> bytes:
    """Fields as literals with incremental indexing (RFC 7541, 6.2.1): they become the entries 65 to 62."""
    fields = ((b"\x44", path), (b"\x41", b"x"), (b"\x5f", b"application/grpc"), (b"\x40\x02te", b"trailers"))
    return b"\x83\x86" + b"".join(name + bytes((len(value),)) + value for name, value in fields)


def _ended_streams(received: bytes) -> tuple[int, bytes]:
    """How many streams complete frames end, and the bytes of the incomplete frame behind them."""
    ended = start = 0
    while len(received) - start >= 9:
        length = int.from_bytes(received[start : start + 3], "big")
        if len(received) - start < 9 + length:
            break
        kind, flags = received[start + 3], received[start + 4]
        ended += kind == RST_STREAM or (kind in (HEADERS, DATA) and flags & END_STREAM > 0)
        start += 9 + length
    return ended, received[start:]


if __name__ == "__main__":
    _kind, _port, _connections, _count, _seconds = sys.argv[1:]
    assert _kind in KINDS
    _loop = asyncio.new_event_loop()
    _sent = _loop.run_until_complete(flood(_kind, int(_port), int(_connections), int(_count), float(_seconds)))
    sys.stdout.write(json.dumps(asdict(_sent)) + "\n")
    sys.stdout.flush()
    os._exit(0)  # without waiting for the connections' tasks
