"""Minimal HTTP/2 client for traffic that no gRPC library sends: unfinished messages, zero windows, unread responses.

Header fields are literal, neither indexed nor Huffman-coded (RFC 7541, 6.2.3). The settings disable
the dynamic table, so response fields can be decoded without one; a Huffman-coded value is returned as None.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
FRAME_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def ends_stream(self) -> bool:
        return self.kind == RST_STREAM or (self.kind in (HEADERS, DATA) and bool(self.flags & END_STREAM))


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def header_block(fields: Sequence[tuple[str, str]]) -> bytes:
    return b"".join(b"\x10" + _string(name) + _string(value) for name, value in fields)


def message(content: bytes, *, declared: int | None = None, compressed: bool = False) -> bytes:
    """A gRPC message with its five-byte prefix; `declared` is the length that the prefix states, in bytes."""
    return struct.pack(">BI", compressed, len(content) if declared is None else declared) + content


class Connection:
    """One connection with the preface and SETTINGS sent. `window` is the initial window that the server gets, in bytes.

    `source` is the local address to connect from, such as 127.0.0.7.
    """

    def __init__(self, port: int, *, window: int = 65_535, source: str = "127.0.0.1", timeout_s: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s, source_address=(source, 0))
        settings = struct.pack(">HIHI", HEADER_TABLE_SIZE, 0, INITIAL_WINDOW_SIZE, window)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))
        self._next_stream = 1
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def call(self, path: str, fields: Sequence[tuple[str, str]] = (), *, data: bytes = b"", end: bool = False) -> int:
        """Send the headers of a call, and `data` after them; `end` also half-closes. Returns the stream's id."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        all_fields = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *fields,
        )
        block = header_block(all_fields)
        first, rest = block[:FRAME_BYTES], block[FRAME_BYTES:]
        frames = frame(HEADERS, 0 if rest else END_HEADERS, stream, first)
        while rest:
            part, rest = rest[:FRAME_BYTES], rest[FRAME_BYTES:]
            frames += frame(CONTINUATION, 0 if rest else END_HEADERS, stream, part)
        self.socket.sendall(frames + self._data(stream, data, end=end))
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send DATA frames without regard to the server's window."""
        self.socket.sendall(self._data(stream, data, end=end))

    def frames(self, seconds: float) -> Iterator[Frame]:
        """Frames as they arrive within `seconds`; ends early when the server closes. SETTINGS and PING are answered."""
        until = time.monotonic() + seconds
        while True:
            while (parsed := self._parsed()) is not None:
                if parsed.kind in (SETTINGS, PING) and not parsed.flags & ACK:
                    payload = parsed.payload if parsed.kind == PING else b""
                    with contextlib.suppress(OSError):
                        self.socket.sendall(frame(parsed.kind, ACK, 0, payload))
                yield parsed
            left = until - time.monotonic()
            if left <= 0:
                return
            self.socket.settimeout(left)
            try:
                received = self.socket.recv(65_536)
            except TimeoutError:
                return
            except ConnectionError:
                return
            finally:
                self.socket.settimeout(10.0)  # for sends between two reads
            if not received:
                return
            self._unread += received

    def end_of(self, stream: int, seconds: float) -> dict[str, str | None] | None:
        """Header fields of the frame that ends a stream; empty for RST_STREAM, None when it has not ended in time."""
        for arrived in self.frames(seconds):
            if arrived.stream == stream and arrived.ends_stream:
                return fields_of(arrived.payload) if arrived.kind == HEADERS else {}
        return None

    @staticmethod
    def _data(stream: int, data: bytes, *, end: bool) -> bytes:
        parts = [data[start : start + FRAME_BYTES] for start in range(0, len(data), FRAME_BYTES)]
        if end and not parts:
            parts = [b""]
        last = len(parts) - 1
        return b"".join(
            frame(DATA, END_STREAM if end and place == last else 0, stream, part) for place, part in enumerate(parts)
        )

    def _parsed(self) -> Frame | None:
        if len(self._unread) < 9:
            return None
        length = int.from_bytes(self._unread[:3], "big")
        if len(self._unread) < 9 + length:
            return None
        head, payload, self._unread = self._unread[:9], self._unread[9 : 9 + length], self._unread[9 + length :]
        return Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, payload)


def fields_of(block: bytes) -> dict[str, str | None]:
    """Literal fields with literal names of a header block; fields with an indexed name or value are skipped."""
    fields: dict[str, str | None] = {}
    place = 0
    while place < len(block):
        first = block[place]
        if first & 0x80:
            _, place = _integer(block, place, 7)
            continue
        if first & 0xE0 == 0x20:
            _, place = _integer(block, place, 5)
            continue
        index, place = _integer(block, place, 6 if first & 0x40 else 4)
        name: str | None = None
        if index == 0:
            name, place = _text(block, place)
        value, place = _text(block, place)
        if name is not None:
            fields[name] = value
    return fields


def _text(block: bytes, place: int) -> tuple[str | None, int]:
    huffman = block[place] & 0x80
    length, place = _integer(block, place, 7)
    text = None if huffman else block[place : place + length].decode("latin-1")
    return text, place + length


def _integer(block: bytes, place: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value, place = block[place] & most, place + 1
    if value < most:
        return value, place
    shift = 0
    while True:
        byte, place = block[place], place + 1
        value += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


def _string(text: str) -> bytes:
    raw = text.encode("latin-1")
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    length, encoded = len(raw) - 127, b"\x7f"
    while length >= 128:
        encoded, length = encoded + bytes([length & 0x7F | 0x80]), length >> 7
    return encoded + bytes([length]) + raw
