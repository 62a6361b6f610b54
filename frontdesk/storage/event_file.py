"""Take erased customers out of a file of events, in place: every line keeps its length, so readers keep their offsets.

A line becomes the same event without a customer and with an empty payload, padded with blanks. Rotated files beside it
(`events.jsonl.1`) are rewritten too; compressed ones are not.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


def rewrite_lines(path: Path, needles: Collection[str], wanted: Callable[[Line], bool]) -> int:
    """Empty the lines that hold one of the needles and are wanted; how many. On the disk when this returns.

    Args:
        path: the file; it need not be there.
        needles: texts as JSON writes them, of which a line must hold one. Finding them costs no parsing.
        wanted: decides on a line. A line that cannot be parsed is emptied wherever it holds a needle.

    Raises:
        OSError: a file cannot be read or written.
    """
    return sum(_rewrite(file, needles, wanted) for file in _files(path))


def empty_lines_before(path: Path, before: datetime) -> int:
    """Empty the lines of events that were created before a moment; how many had anything in them.

    Raises:
        OSError: as `rewrite_lines`.
    """

    def old(line: Line) -> bool:
        holds = line.get("customer_id") is not None or bool(line.get("payload"))
        return holds and datetime.fromisoformat(line["created_at"]) < before

    return rewrite_lines(path, ['"created_at":'], old)


def lines_with(path: Path, needle: str) -> Iterator[Line]:
    """Parsed lines of the file itself that hold a needle."""
    if path.exists():
        with path.open("rb") as file, _mapped(file.fileno()) as content:
            for start, end in _found(content, needle.encode()):
                if (line := _parsed(content[start:end])) is not None:
                    yield line


def _files(path: Path) -> list[Path]:
    beside = path.parent.glob(f"{path.name}*") if path.parent.is_dir() else ()
    return [file for file in beside if file.is_file() and file.suffix not in _COMPRESSED]


def _rewrite(path: Path, needles: Collection[str], wanted: Callable[[Line], bool]) -> int:
    opened = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        changed = 0
        with _mapped(opened) as content:
            places = {place for needle in needles for place in _found(content, needle.encode())}
            for start, end in sorted(places):
                line = _parsed(content[start:end])
                if line is None or wanted(line):
                    os.pwrite(opened, _emptied(line, end - start), start)
                    changed += 1
        if changed:
            os.fsync(opened)
        return changed
    finally:
        os.close(opened)


@contextmanager
def _mapped(descriptor: int) -> Iterator[mmap.mmap | bytes]:
    """The bytes of an open file; an empty one cannot be mapped."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        yield b""
        return
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content:
        yield content


def _found(content: mmap.mmap | bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each line with the needle, without its end of line."""
    at = content.find(needle)
    while at != -1:
        start = content.rfind(b"\n", 0, at) + 1
        end = content.find(b"\n", at)
        end = len(content) if end == -1 else end
        yield start, end
        at = content.find(needle, end)


def _parsed(line: bytes) -> Line | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _emptied(line: Line | None, length: int) -> bytes:
    """The line without its customer, as long as it was; blanks where there is nothing to keep."""
    if line is None:
        return b" " * length
    kept = {**line, "customer_id": None, "payload": {}}
    written = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
    return written.ljust(length) if len(written) <= length else b" " * length
