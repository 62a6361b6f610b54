"""Where events go: the port, and the sink that writes them to a file.

Whoever receives events gets each at least once and in order for each customer; the `event_id` tells a second time from
a first. Knows nothing of what waits, of retries or of tables.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from frontdesk.private_files import UntrustedFileError, open_own
from frontdesk.storage.event_file import lines_with, rewrite_lines
from frontdesk.storage.events import Event, EventType

ERASURES = (EventType.ERASED, EventType.QUERIES_ERASED)


class SinkAway(Exception):
    """The sink cannot be reached just now, whatever the event: nothing is held against the events themselves."""


@dataclass(slots=True)
class _Named:
    """An erasure in the file that names its customer, and how many deliveries came after it."""

    created_at: datetime
    deliveries: int = 0


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

    Lines of an erased customer or query are emptied before the erasure's own line is written. That line names the
    customer, for whoever reads the file, for `named_deliveries` more deliveries or `named_s`, whichever is over first.
    """

    name = "file"

    def __init__(self, path: Path, *, named_deliveries: int = 8, named_s: float = 86_400.0) -> None:
        self._path = path
        self._named_deliveries = named_deliveries
        self._named_s = named_s
        self._named: dict[str, _Named] | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        """All lines or none, but for a power cut in between; what that has torn is ended before the next line."""
        try:
            named = self._known()
            for erasure in (event for event in events if event.type in ERASURES):
                self._forget(erasure)
            self._append(events)
            for earlier in named.values():
                earlier.deliveries += 1
            named |= {event.event_id: _Named(event.created_at) for event in events if event.type == EventType.ERASED}
            self.tidy()
        except (OSError, UntrustedFileError) as error:
            raise SinkAway(f"The file of events cannot be written ({type(error).__name__}).") from None

    def tidy(self) -> None:
        """Take the names out of erasures that have been told for long enough. Cheap where there are none.

        Raises:
            OSError: the file cannot be written; the next call tries again.
        """
        named, oldest = self._known(), datetime.now(UTC) - timedelta(seconds=self._named_s)
        over = {
            event_id
            for event_id, told in named.items()
            if told.created_at <= oldest or told.deliveries >= self._named_deliveries
        }
        if over:
            rewrite_lines(
                self._path, [f'"event_id":"{each}"' for each in over], lambda line: line.get("event_id") in over
            )
            for event_id in over:
                del named[event_id]

    def _known(self) -> dict[str, _Named]:
        """Erasures in the file that still name a customer; read once, after a start."""
        if self._named is None:
            told = lines_with(self._path, f'"type":"{EventType.ERASED}"')
            self._named = {
                line["event_id"]: _Named(datetime.fromisoformat(line["created_at"]))
                for line in told
                if line["customer_id"] is not None
            }
        return self._named

    def _forget(self, erasure: Event) -> None:
        if erasure.type == EventType.ERASED and erasure.customer_id is not None:
            owner = (erasure.tenant, erasure.customer_id)
            needle = f'"customer_id":{json.dumps(erasure.customer_id, ensure_ascii=False)}'
            rewrite_lines(self._path, [needle], lambda line: (line.get("tenant"), line.get("customer_id")) == owner)
        elif erasure.type == EventType.QUERIES_ERASED:
            body = erasure.body()
            ids = {*body["query_ids"], *body["feedback_ids"]}
            rewrite_lines(
                self._path, [f'"event_id":"{each}"' for each in ids], lambda line: line.get("event_id") in ids
            )

    def _append(self, events: Sequence[Event]) -> None:
        lines = "".join(f"{event.line()}\n" for event in events).encode()
        file = self._opened()
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write_all(file, b"\n" + lines if torn else lines, size)
            os.fsync(file)
        finally:
            os.close(file)

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
