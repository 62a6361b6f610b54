"""Search for CR LF CR LF in a stream of reads: the end of a header section and of a chunked body."""

from __future__ import annotations

END = b"\r\n\r\n"


class BoundaryFinder:
    """Finds CR LF CR LF, also where it straddles two reads."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""
        """The last bytes of the reads before, where a boundary may have begun."""

    def reset(self) -> None:
        """Forget earlier reads: a new message begins."""
        self._tail = b""

    def find_first(self, data: bytes) -> int:
        """Return where the first boundary in `data` ends, or the length of `data`: `find_next(data, 0)`, faster."""
        if not self._tail:
            position = data.find(END)
            if position >= 0:
                return position + len(END)
        return self.find_next(data, 0)

    def find_next(self, data: bytes, start: int) -> int:
        """Return where the next boundary from `start` on ends, or the length of `data`."""
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
