"""Search for CR LF CR LF, the end of a header section and of a chunked body, in consecutive reads."""

from __future__ import annotations

END = b"\r\n\r\n"


class DoubleCrlfFinder:
    """Finds CR LF CR LF, also if it is split between reads."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""
        """Last bytes of the previous reads, in which a boundary may have begun."""

    def reset(self) -> None:
        """Discard earlier reads at the start of a new message."""
        self._tail = b""

    def find_first(self, data: bytes) -> int:
        """Return the end of the first boundary in `data`, or the length of `data`. Faster than `find_next(data, 0)`."""
        if not self._tail:
            position = data.find(END)
            if position >= 0:
                return position + len(END)
        return self.find_next(data, 0)

    def find_next(self, data: bytes, start: int) -> int:
        """Return the end of the next boundary from `start`, or the length of `data`."""
        tail = self._tail
        if tail:
            position = (tail + data[start : start + 3]).find(END)
            if position >= 0:
                self._tail = b""
                return start + position + 4 - len(tail)
        position = data.find(END, start)
        if position >= 0:
            self._tail = b""
            return position + 4
        self._tail = (tail + data[max(start, len(data) - 3) :])[-3:]
        return len(data)
