"""Server-sent events out of bytes that arrive in any pieces: the `data` of each event, nothing else.

After the HTML standard, section 9.2.6, without `event`, `id` and `retry`, and without a lone CR as a line's end, none
of which OpenAI's protocol has. An event that the stream's end cuts off is dropped, as the standard says.
"""

from __future__ import annotations

from collections.abc import Iterator


class EventTooLong(Exception):
    """More bytes than an event may have, and no end of it."""


class EventParser:
    """Feed it bytes; it gives the data of the events that are complete."""

    __slots__ = ("_data", "_line", "_max_event_bytes", "_size")

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data of each event that ends within `piece`, in order.

        Raises:
            EventTooLong: an event (or one line) is over the limit; nothing more can be fed.
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
        """Comments (keep-alives begin with a colon) and other fields are passed over."""
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(line)
            self._check_size(self._size)
            self._data.append(value.removeprefix(b" "))

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise EventTooLong
