"""What a connection may send beside bodies, and by when: uvicorn waits for ever, and keeps all that comes.

Fields behind a chunked body (trailers) are dropped: uvicorn adds them to the headers, so that a request could say who
asks after a proxy had looked (RFC 9110, section 6.5.1, forbids it).

`install` puts it in place of the protocol that uvicorn would choose; the version is pinned and the hook tested.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

NAME = "auto"
"""Of the protocol that BentoML's workers ask uvicorn for."""


FRAME_BYTES = 8
"""What a byte of a body may bring along: in a chunk of its own it brings five."""


class ImpatientConnection(HttpToolsProtocol):
    """Closed when the headers of a request are not there after `timeout_s`, or when all of it that is no body (headers,
    sizes and extensions of chunks, trailers) is more than `most_bytes`."""

    timeout_s: ClassVar[float] = 10.0
    most_bytes: ClassVar[int] = 16_384

    _timer: asyncio.TimerHandle | None = None
    _begun = False
    _reading = False
    _bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.timeout_s, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._begun:  # the request is not complete, although something came
            self._bytes += len(data)
            if self._bytes > self.most_bytes:
                self.transport.close()
            elif self._reading and self._timer is None:
                self._timer = self.loop.call_later(self.timeout_s, self._give_up)

    def on_message_begin(self) -> None:
        self._begun, self._reading, self._bytes = True, True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._reading = False
        self._cancel()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes -= FRAME_BYTES * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._begun = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._timer = None
        self.transport.close()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def install(timeout_s: float, most_header_bytes: int) -> None:
    """For every connection of this process from now on. Names and blanks count here too: hence twice."""
    ImpatientConnection.timeout_s = timeout_s
    ImpatientConnection.most_bytes = 2 * most_header_bytes
    uvicorn.config.HTTP_PROTOCOLS[NAME] = ImpatientConnection  # type: ignore[assignment]  # it takes classes too
