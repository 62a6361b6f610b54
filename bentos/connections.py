"""A connection must send its headers in time and within a limit: uvicorn waits for ever, and keeps all that comes.

`install` puts it in place of the protocol that uvicorn would choose; the version is pinned and the hook tested.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

NAME = "auto"
"""Of the protocol that BentoML's workers ask uvicorn for."""


class ImpatientConnection(HttpToolsProtocol):
    """Closed when the headers of a request are not there after `timeout_s`, or are more than `most_bytes`."""

    timeout_s: ClassVar[float] = 10.0
    most_bytes: ClassVar[int] = 16_384

    _timer: asyncio.TimerHandle | None = None
    _reading = False
    _bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.timeout_s, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._reading:  # the headers are not complete, although something came
            self._bytes += len(data)
            if self._bytes > self.most_bytes:
                self.transport.close()
            elif self._timer is None:
                self._timer = self.loop.call_later(self.timeout_s, self._give_up)

    def on_message_begin(self) -> None:
        self._reading, self._bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reading = False
        self._cancel()
        super().on_headers_complete()

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
