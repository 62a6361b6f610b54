"""Redact erased customers in an events file, in place: every line keeps its length, so readers keep their offsets.

A redacted line is the same event without a customer and with an empty payload, padded with blanks. Rotated files in the
same folder (`events.jsonl.1`, `events-20261130.jsonl`, `events.1.jsonl`) are rewritten, too. Compressed files and files
that this process cannot write to are not: `unrewritable_files` returns them.
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
"""Magic numbers of gzip, bzip2, xz, zstd, zip, lz4, compress and 7z."""
_NAMED_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4", ".Z", ".7z", ".lzma", ".br")


def redact_lines(path: Path, needles: Collection[str], matches: Callable[[Line], bool]) -> int:
    """Redact the lines that contain a needle and match, sync them to disk, and return their number.

    Args:
        path: the file; it need not exist.
        needles: JSON fragments of which a line must contain one. They are searched without parsing.
        matches: decides on a parsed line. A line that cannot be parsed is redacted if it contains a needle.

    Raises:
        OSError: a file cannot be read or written.
    """
    return sum(_redact(file, needles, matches, count_only=False) for file in _rewritable_files(path))


def unrewritable_files(path: Path) -> list[Path]:
    """Return the rotated files that `redact_lines` skips: compressed, a link, or not readable and writable."""
    return [file for file in list_event_files(path) if file != path and not _can_rewrite(file)]


def redact_events_before(path: Path, before: datetime, *, count_only: bool = False) -> int:
    """Redact the events that were created before a time and return the number of lines changed.

    With `count_only` nothing is changed, and the number of lines that would be redacted is returned.

    Raises:
        OSError: as `redact_lines`.
    """

    def old(line: Line) -> bool:
        has_data = line.get("customer_id") is not None or bool(line.get("payload"))
        return has_data and (created_at := _parse_time(line.get("created_at"))) is not None and created_at < before

    return sum(_redact(file, ['"created_at":'], old, count_only=count_only) for file in _rewritable_files(path))


def _parse_time(text: object) -> datetime | None:
    """Parse a time; None if it is not one, as in a line of another program."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def find_lines(path: Path, needle: str) -> Iterator[Line]:
    """Yield the parsed lines of the file that contain a needle; rotated files are not read."""
    if path.exists():
        with path.open("rb") as file, _mapped(file.fileno()) as content:
            for start, end in _line_spans(content, needle.encode()):
                if (line := _parse(content[start:end])) is not None:
                    yield line


def _rewritable_files(path: Path) -> list[Path]:
    """Return the file itself, whose errors the caller handles, and the rotated files that can be rewritten."""
    return [file for file in list_event_files(path) if file == path or _can_rewrite(file)]


def list_event_files(path: Path) -> list[Path]:
    """Return the file and its rotated files: with text after the name, or between the stem and the suffix."""
    if not path.parent.is_dir():
        return []
    candidates = path.parent.glob(f"{glob.escape(path.stem)}*{glob.escape(path.suffix)}*")
    return sorted(file for file in candidates if file.is_symlink() or file.is_file())


def _can_rewrite(path: Path) -> bool:
    if path.is_symlink() or path.suffix in _NAMED_COMPRESSED or not os.access(path, os.R_OK | os.W_OK):
        return False
    with path.open("rb") as file:
        return not file.read(8).startswith(_COMPRESSED)


def _redact(path: Path, needles: Collection[str], matches: Callable[[Line], bool], *, count_only: bool) -> int:
    descriptor = os.open(path, (os.O_RDONLY if count_only else os.O_RDWR) | os.O_NOFOLLOW)
    try:
        count = 0
        with _mapped(descriptor) as content:
            spans = {span for needle in needles for span in _line_spans(content, needle.encode())}
            for start, end in sorted(spans):
                line = _parse(content[start:end])
                if line is None or matches(line):
                    if not count_only:
                        os.pwrite(descriptor, _redacted(line, end - start), start)
                    count += 1
        if count and not count_only:
            os.fsync(descriptor)
        return count
    finally:
        os.close(descriptor)


@contextmanager
def _mapped(descriptor: int) -> Iterator[mmap.mmap | bytes]:
    """Yield the bytes of an open file, mapped into memory unless it is empty."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        yield b""
        return
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content:
        yield content


def _line_spans(content: mmap.mmap | bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end, without the line break, of each line that contains the needle."""
    at = content.find(needle)
    while at != -1:
        start = content.rfind(b"\n", 0, at) + 1
        end = content.find(b"\n", at)
        end = len(content) if end == -1 else end
        yield start, end
        at = content.find(needle, end)


def _parse(line: bytes) -> Line | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _redacted(line: Line | None, length: int) -> bytes:
    """Return the line without customer and payload, padded to `length` bytes; blanks if it cannot be parsed."""
    if line is None:
        return b" " * length
    event = {**line, "customer_id": None, "payload": {}}
    encoded = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    return encoded.ljust(length) if len(encoded) <= length else b" " * length
