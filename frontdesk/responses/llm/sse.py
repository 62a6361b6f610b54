"""Parse server-sent events from bytes in pieces of any size: the `data` of each event, nothing else.

Follows section 9.2.6 of the HTML standard, without the fields `event`, `id` and `retry` and without a lone CR as a line
end, because OpenAI's protocol does not use them. An incomplete event at the end of the stream is dropped, as in the
standard.
"""

from __future__ import annotations

from collections.abc import Iterator


class SseEventTooLong(Exception):
    """An event has more bytes than allowed."""


class SseParser:
    """Incremental parser: takes bytes and returns the data of complete events."""

    __slots__ = ("_data", "_line", "_max_event_bytes", "_size")

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the data of each event that ends within `data`, in order.

        Raises:
            EventTooLong: an event (or one line) exceeds the limit; the parser cannot be used any further.
        """
        *line_ends, rest = data.split(b"\n")
        for line_end in line_ends:
            line = bytes(self._line + line_end).removesuffix(b"\r")
            self._line.clear()
            if line:
                self._process_line(line)
            elif self._data:
                yield b"\n".join(self._data)
                self._data = []
                self._size = 0
        self._line += rest
        self._check_size(self._size + len(self._line))

    def _process_line(self, line: bytes) -> None:
        """Collect a data field; ignore comments (keep-alives begin with a colon) and other fields."""
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(line)
            self._check_size(self._size)
            self._data.append(value.removeprefix(b" "))

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise SseEventTooLong
