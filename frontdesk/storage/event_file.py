"""Take erased customers out of a file of events, in place: every line keeps its length, so readers keep their offsets.

A line becomes the same event without a customer and with an empty payload, padded with blanks. Rotated files beside it
(`events.jsonl.1`, `events-20261130.jsonl`, `events.1.jsonl`) are rewritten too. Compressed ones and those that this
process cannot write to are not: `not_emptied` names them.
"""

from __future__ import annotations

import glob
import json
import mmap
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_COMPRESSED = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"(\xb5/\xfd",
    b"PK\x03\x04",
    b"\x04\x22M\x18",
    b"\x1f\x9d",
    b"7z\xbc\xaf",
)
"""How compressed files begin: gzip, bzip2, xz, zstd, zip, lz4, compress, 7z."""
_NAMED_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4", ".Z", ".7z", ".lzma", ".br")


def rewrite_lines(path: Path, needles: Collection[str], wanted: Callable[[Line], bool]) -> int:
    """Empty the lines that hold one of the needles and are wanted; how many. On the disk when this returns.

    Args:
        path: the file; it need not be there.
        needles: texts as JSON writes them, of which a line must hold one. Finding them costs no parsing.
        wanted: decides on a line. A line that cannot be parsed is emptied wherever it holds a needle.

    Raises:
        OSError: a file cannot be read or written.
    """
    return sum(_rewrite(file, needles, wanted, count_only=False) for file in _files(path))


def not_emptied(path: Path) -> list[Path]:
    """Rotated files that `rewrite_lines` passes over: compressed, a link, or not this user's to read and write."""
    return [file for file in files_of_events(path) if file != path and not _can_rewrite(file)]


def empty_lines_before(path: Path, before: datetime, *, count_only: bool = False) -> int:
    """Empty the lines of events that were created before a moment; how many had anything in them.

    With `count_only` nothing is changed, and the number is that of the lines which would be emptied.

    Raises:
        OSError: as `rewrite_lines`.
    """

    def old(line: Line) -> bool:
        holds = line.get("customer_id") is not None or bool(line.get("payload"))
        return holds and (created_at := _moment(line.get("created_at"))) is not None and created_at < before

    return sum(_rewrite(file, ['"created_at":'], old, count_only=count_only) for file in _files(path))


def _moment(written: object) -> datetime | None:
    """None for what is no time: a line of somebody else's."""
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def lines_with(path: Path, needle: str) -> Iterator[Line]:
    """Parsed lines of the file itself that hold a needle."""
    if path.exists():
        with path.open("rb") as file, _mapped(file.fileno()) as content:
            for start, end in _found(content, needle.encode()):
                if (line := _parsed(content[start:end])) is not None:
                    yield line


def _files(path: Path) -> list[Path]:
    """The file itself, whose errors are its caller's, and those beside it that can be rewritten."""
    return [file for file in files_of_events(path) if file == path or _can_rewrite(file)]


def files_of_events(path: Path) -> list[Path]:
    """The file and what log rotation has made of it: something behind its name, or between its stem and its suffix."""
    if not path.parent.is_dir():
        return []
    found = path.parent.glob(f"{glob.escape(path.stem)}*{glob.escape(path.suffix)}*")
    return sorted(file for file in found if file.is_symlink() or file.is_file())


def _can_rewrite(path: Path) -> bool:
    if path.is_symlink() or path.suffix in _NAMED_COMPRESSED or not os.access(path, os.R_OK | os.W_OK):
        return False
    with path.open("rb") as file:
        return not file.read(8).startswith(_COMPRESSED)


def _rewrite(path: Path, needles: Collection[str], wanted: Callable[[Line], bool], *, count_only: bool) -> int:
    opened = os.open(path, (os.O_RDONLY if count_only else os.O_RDWR) | os.O_NOFOLLOW)
    try:
        changed = 0
        with _mapped(opened) as content:
            places = {place for needle in needles for place in _found(content, needle.encode())}
            for start, end in sorted(places):
                line = _parsed(content[start:end])
                if line is None or wanted(line):
                    if not count_only:
                        os.pwrite(opened, _emptied(line, end - start), start)
                    changed += 1
        if changed and not count_only:
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
