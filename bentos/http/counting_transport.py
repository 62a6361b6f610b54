"""The transport that uvicorn writes to. It counts bytes, and the connection decides when it closes."""

from __future__ import annotations

import fcntl
import sys
import termios
from typing import Any, Protocol

from bentos.http.connection_state import LINGER, ConnectionState

MAX_JOINED_BYTES = 65_536
"""A larger body is written after its head, because joining them would copy it."""


class TransportOwner(Protocol):
    """The part of the connection that its transport uses."""

    state: ConnectionState

    def close_when_sent(self) -> None: ...
    def cancel_request(self) -> None: ...


class CountingTransport:
    """A transport that counts the bytes written and delegates `close` to the connection.

    It writes the head of a response together with the first part of the body: one system call and one packet less.
    """

    __slots__ = ("_head", "_holds_next", "_owner", "_write", "bytes_written", "get_extra_info", "raw")

    def __init__(self, raw: Any, owner: TransportOwner) -> None:
        self.raw = raw
        self.bytes_written = 0
        self._owner: TransportOwner | None = owner
        self._holds_next = False
        self._head: bytes | None = None
        self._write = raw.write
        self.get_extra_info = raw.get_extra_info

    def hold_next(self) -> None:
        """Hold the next write, the head of a response, until the one after it, `flush` or `close`."""
        self._holds_next = True

    def flush(self) -> None:
        """Write a head that is still held, of a response without a body."""
        self._holds_next = False
        if self._head is not None:
            self.write(b"")

    def write(self, data: bytes) -> None:
        if self._holds_next:
            self._holds_next, self._head = False, data
            return
        if self._head is not None:
            head, self._head = self._head, None
            if len(data) <= MAX_JOINED_BYTES:
                data = head + data
            else:
                self.write(head)
        if not self.raw.is_closing():
            self.bytes_written += len(data)
            self._write(data)
        elif self._owner is not None:  # the client has just disconnected, which is not a defect of the application
            self._owner.cancel_request()

    def pause_reading(self) -> None:
        if not self.raw.is_closing():
            self.raw.pause_reading()

    def resume_reading(self) -> None:
        if not self.raw.is_closing():
            self.raw.resume_reading()

    def is_closing(self) -> bool:
        return self._owner is None or self._owner.state >= LINGER or self.raw.is_closing()

    def close(self) -> None:
        self.flush()
        if self._owner is not None:
            self._owner.close_when_sent()

    def detach(self) -> None:
        self._owner = None

    def unsent_bytes(self) -> int:
        """Return the number of bytes that the client has not received, in this process and in the kernel."""
        waiting: int = self.raw.get_write_buffer_size()
        return waiting + self._bytes_in_kernel()

    def _bytes_in_kernel(self) -> int:
        """Return the number of bytes that the kernel has not delivered; 0 if the system does not report it."""
        buffer = bytearray(4)
        try:
            fcntl.ioctl(self.get_extra_info("socket").fileno(), termios.TIOCOUTQ, buffer)
        except OSError:
            return 0
        return int.from_bytes(buffer, sys.byteorder)
