"""A language model server with configurable faults, on raw sockets, so that it can send what no HTTP library would.

`mode` may be changed between two calls; `calls` counts the requests that arrived.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

LATE_S = 5.0
REPLY_PARTS = ("Your order", " arrives", " soon.")
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(content: str | None = None, finish: str | None = None, **more: object) -> bytes:
    delta = {} if content is None else {"content": content}
    return (
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}], **more})}\n\n".encode()
    )


DONE = b"data: [DONE]\n\n"
WHOLE = b"".join(event(text) for text in REPLY_PARTS) + event(finish="stop")
USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}}\n\n'


def status(line: str, *headers: str, body: bytes = b'{"error": {"message": "no"}}') -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {line}", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}"))
    return head.encode() + b"\r\nConnection: close\r\n\r\n" + body


FIXED = {
    "good": SSE + WHOLE + USAGE + DONE,
    "no usage": SSE + WHOLE + DONE,
    "done missing": SSE + WHOLE,
    "500": status("500 Internal Server Error"),
    "502": status("502 Bad Gateway"),
    "503": status("503 Service Unavailable"),
    "504": status("504 Gateway Timeout"),
    "401": status("401 Unauthorized"),
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "429": status("429 Too Many Requests", "Retry-After: 0"),
    "429 in an hour": status("429 Too Many Requests", "Retry-After: 3600"),
    "prompt too long": status("400 Bad Request", body=b'{"error": {"code": "context_length_exceeded"}}'),
    "bad request": status("400 Bad Request"),
    "redirect": status("302 Found", "Location: http://127.0.0.1:9/v1/chat/completions"),
    "garbage": SSE + b"data: {not json}\n\n",
    "garbage after text": SSE + event("Your order") + b"data: [1, 2\n\n",
    "deep": SSE + b"data: " + b'{"choices":' + b"[" * 30_000 + b"\n\n",
    "wrong shape": SSE + b'data: {"choices": {"delta": "text"}}\n\n',
    "error in the stream": SSE + event("Your order") + b'data: {"error": {"message": "overloaded"}}\n\n',
    "wrong type": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html></html>",
    "compressed": SSE.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + WHOLE + DONE,
    "not HTTP": b"220 mail.example ESMTP\r\n",
    "closed at once": b"",
    "empty stream": SSE,
    "empty answer": SSE + event("", finish="stop") + DONE,
    "cut by its length": SSE + event("Your order") + event(finish="length") + DONE,
    "cut off": SSE + event("Your order"),
    "half a character": SSE
    + event("Your order")
    + b'data: {"choices": [{"delta": {"content": "caf\xc3"}}]}\n\n'
    + DONE,
}


@dataclass
class FaultyServer:
    """`bodies`: received request bodies, `tokens`: Authorization headers, `open`: connections that are still served."""

    mode: str = "good"
    port: int = 0
    calls: int = 0
    open: int = 0
    bodies: list[bytes] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    sent: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._read_request(reader)
                await self._answer(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.bodies.append(await reader.readexactly(int(headers.get("content-length", "0"))))
        self.tokens.append(head.partition("Authorization: ")[2].partition("\r\n")[0])
        self.calls += 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode in FIXED:
            await self._send(writer, FIXED[self.mode])
        else:
            await LIVE[self.mode](self, reader, writer)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.sent += len(data)


async def _hang(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client closes the connection


async def _hang_after_text(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, SSE + event("Your order"))
    await reader.read()


async def _byte_a_second(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in SSE + WHOLE:
        await server._send(writer, bytes((byte,)))
        await asyncio.sleep(1.0)


async def _byte_by_byte(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in SSE + event("café") + USAGE + event(finish="stop") + DONE:
        await server._send(writer, bytes((byte,)))
        await asyncio.sleep(0)


async def _keep_alives(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, SSE)
    while True:
        await server._send(writer, b": still here\n\n")
        await asyncio.sleep(0.05)


async def _endless_line(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, SSE + b"data: ")
    for _ in range(1_600):
        await server._send(writer, b"x" * 65_536)


async def _100_megabytes(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, SSE)
    piece = event("word " * 1_000)
    for _ in range(20_000):
        await server._send(writer, piece)


async def _reset(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, SSE + event("Your order"))
    await asyncio.sleep(0.02)
    writer.transport.abort()


async def _slow(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.3)
    await server._send(writer, FIXED["good"])


async def _late(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(LATE_S)
    await server._send(writer, FIXED["good"])


async def _not_streamed(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = {
        "choices": [{"message": {"role": "assistant", "content": "".join(REPLY_PARTS)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3},
    }
    await server._send(writer, status("200 OK", body=json.dumps(answer).encode()))


async def _fails_once(server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server._send(writer, FIXED["503" if server.calls % 2 else "good"])


LIVE: dict[str, Callable[[FaultyServer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = {
    "hang": _hang,
    "hang after text": _hang_after_text,
    "a byte a second": _byte_a_second,
    "byte by byte": _byte_by_byte,
    "keep-alives": _keep_alives,
    "endless line": _endless_line,
    "100 MB": _100_megabytes,
    "reset": _reset,
    "slow": _slow,
    "late": _late,
    "not streamed": _not_streamed,
    "fails once": _fails_once,
}


@asynccontextmanager
async def faulty_server(mode: str = "good") -> AsyncIterator[FaultyServer]:
    faulty = FaultyServer(mode)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(asyncio.CancelledError):  # asyncio's streams would print it as an error
            await faulty.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    faulty.port = server.sockets[0].getsockname()[1]
    try:
        yield faulty
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next iteration of the loop


async def until(condition: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait until a condition is true. Raises AssertionError after `seconds`."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.01)
