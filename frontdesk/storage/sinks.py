"""Where events go: the port, and the sink that writes them to a file.

Whoever receives events gets each at least once and in order for each customer; the `event_id` tells a second time from
a first. Knows nothing of what waits, of retries or of tables.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from frontdesk.private_files import UntrustedFileError, open_own
from frontdesk.storage.events import Event


class SinkAway(Exception):
    """The sink cannot be reached just now, whatever the event: nothing is held against the events themselves."""


class Sink(Protocol):
    """`name` is the sink's in the outbox and in metrics."""

    @property
    def name(self) -> str: ...

    def deliver(self, events: Sequence[Event]) -> None:
        """Return once all of them are safe where they go.

        Raises:
            SinkAway: try all of them again later.
            Exception: of any other kind: at least one of them is refused.
        """


class FileSink:
    """JSON lines at the end of one file, on the disk before `deliver` returns. One writer at a time.

    The file is opened for each delivery, so it may be moved away at any time, as log rotation does.
    """

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, events: Sequence[Event]) -> None:
        """All lines or none, but for a power cut in between; what that has torn is ended before the next line."""
        lines = "".join(f"{event.line()}\n" for event in events).encode()
        try:
            file = self._opened()
            try:
                size = os.fstat(file).st_size
                torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                _write_all(file, b"\n" + lines if torn else lines, size)
                os.fsync(file)
            finally:
                os.close(file)
        except (OSError, UntrustedFileError) as error:
            raise SinkAway(f"The file of events cannot be written ({type(error).__name__}).") from None

    def _opened(self) -> int:
        """The file, made readable by its owner alone; its name is on the disk too."""
        try:
            return open_own(self._path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open_own(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            _sync_folder(self._path.parent)
            return file


def _write_all(file: int, data: bytes, size: int) -> None:
    """Write all of `data` at the end, or leave the file at `size` bytes: a full disk takes a part of a line."""
    try:
        written = 0
        while written < len(data):
            written += os.write(file, data[written:])
    except OSError:
        os.ftruncate(file, size)
        raise


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
