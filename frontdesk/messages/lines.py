"""Lines of a text with normalized keys for matching and one part kind per line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from frontdesk.folded_characters import CHARACTERS, FOLDABLE
from frontdesk.types.message import PartKind

_APOSTROPHES = "\u2018\u2019\u00b4"


class Lines:
    """The lines of a text, as parallel lists.

    `starts[i]` is the offset of line i; `starts[-1]` is the length of the text, so `starts` is one longer than the
    other lists. `keys[i]` is the line without surrounding blanks, line break and invisible characters; no-break spaces,
    dashes, digits and apostrophes have their ASCII form. `kinds[i]` is the kind of the line; None means not decided.
    """

    __slots__ = ("keys", "kinds", "starts", "text")

    def __init__(self, text: str, kinds: list[PartKind | None] | None = None) -> None:
        lines = text.splitlines(keepends=True)
        self.text = text
        self.starts = [0]
        offset = 0
        for line in lines:
            offset += len(line)
            self.starts.append(offset)
        self.keys = _keys(text, lines)
        self.kinds: list[PartKind | None] = kinds if kinds is not None else [None] * len(lines)

    def __len__(self) -> int:
        return len(self.keys)

    def split_all(self, cuts: list[tuple[int, int]]) -> list[int]:
        """Split lines at offsets of the text that lie inside them.

        `cuts` are pairs (line, offset) in order. Returns the index of the line before each cut.
        """
        if not cuts:
            return []
        offsets = sorted({offset for _, offset in cuts})
        starts, keys, kinds = self.starts, self.keys, self.kinds
        self.starts, self.keys, self.kinds = [], [], []
        before: list[int] = []
        position = 0
        for index, key in enumerate(keys):
            end = starts[index + 1]
            start = starts[index]
            is_cut = False
            while position < len(offsets) and offsets[position] < end:
                offset = offsets[position]
                self._append(start, offset, kinds[index])
                before.append(len(self.keys) - 1)
                start, is_cut = offset, True
                position += 1
            if is_cut:
                self._append(start, end, kinds[index])
            else:
                self.starts.append(start)
                self.keys.append(key)
                self.kinds.append(kinds[index])
        self.starts.append(starts[-1])
        return before

    def _append(self, start: int, end: int, kind: PartKind | None) -> None:
        self.starts.append(start)
        self.keys.append(normalized(self.text[start:end]))
        self.kinds.append(kind)

    def mark(self, start: int, end: int, kind: PartKind) -> None:
        """Set the kind of lines `start` to `end`, except lines that are hidden."""
        for index in range(start, end):
            if self.kinds[index] is not PartKind.HIDDEN:
                self.kinds[index] = kind

    def undecided(self) -> list[int]:
        """Indexes of the lines without a kind."""
        return [index for index, kind in enumerate(self.kinds) if kind is None]

    def next_written(self, index: int) -> int:
        """Index of the first line from `index` on that is not blank; the number of lines if all others are blank."""
        while index < len(self.keys) and not self.keys[index]:
            index += 1
        return index

    def runs(self) -> Iterator[tuple[int, int]]:
        """Spans (start, end) of consecutive lines without a kind."""
        start: int | None = None
        for index, kind in enumerate(self.kinds):
            if kind is None:
                start = index if start is None else start
            elif start is not None:
                yield start, index
                start = None
        if start is not None:
            yield start, len(self.kinds)


def _keys(text: str, lines: list[str]) -> list[str]:
    """The keys of all lines of a text."""
    if text.isascii():
        return [line.strip() for line in lines]
    keys = _unified(text).splitlines()
    if len(keys) == len(lines):
        return [key.strip() for key in keys]
    return [normalized(line) for line in lines]  # a control character that ends a line was removed


def normalized(line: str) -> str:
    """`line` in the form that patterns of this package expect; see `Lines.keys`."""
    return line.strip() if line.isascii() else _unified(line).strip()


def _unified(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    for apostrophe in _APOSTROPHES:
        if apostrophe in text:
            text = text.replace(apostrophe, "'")
    return text.translate(CHARACTERS) if FOLDABLE.search(text) else text


def squeezed(text: str) -> str:
    """`text` with every run of blanks replaced by one."""
    return " ".join(text.split())
