"""Sinks of events: the port, and the sink that appends events to a file.

Receivers get each event at least once, and in order for each customer. Duplicates have the same `event_id`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from frontdesk.private_files import UnsafeFileOwnershipError, open_own_file
from frontdesk.storage.events import Event, EventType
from frontdesk.storage.outbox.event_file import find_lines, redact_lines

ERASURES = (EventType.ERASED, EventType.QUERIES_ERASED)


class SinkUnavailable(Exception):
    """The sink is unavailable at the moment. This does not count as an attempt of its events."""


@dataclass(slots=True)
class _UnredactedErasure:
    """An erasure line that still names its customer, and the number of deliveries after it."""

    created_at: datetime
    deliveries: int = 0


class Sink(Protocol):
    """Receiver of events. `name` identifies it in the outbox and in metrics."""

    @property
    def name(self) -> str: ...

    def deliver(self, events: Sequence[Event]) -> None:
        """Return once all events are stored durably.

        Raises:
            SinkUnavailable: all events must be delivered again later.
            Exception: of any other kind: the sink refuses at least one of the events.
        """


class FileSink:
    """Appends events as JSON lines to a file, on the disk before `deliver` returns. One writer at a time.

    The file is opened for each delivery, so log rotation may move it away at any time.

    Lines of an erased customer or query are redacted before the line of the erasure is written. That line names the
    customer, so that readers of the file can erase, too, for `named_deliveries` more deliveries or `named_s` seconds,
    whichever ends first.
    """

    name = "file"

    def __init__(self, path: Path, *, named_deliveries: int = 8, named_s: float = 86_400.0) -> None:
        self._path = path
        self._named_deliveries = named_deliveries
        self._named_s = named_s
        self._named: dict[str, _UnredactedErasure] | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        """Write all lines or none. A line torn by a power cut is ended before the next line."""
        try:
            named = self._unredacted_erasures()
            for event in events:
                if event.type in ERASURES:
                    self._redact_erased(event)
            self._append(events)
            for erasure in named.values():
                erasure.deliveries += 1
            named |= {
                event.event_id: _UnredactedErasure(event.created_at)
                for event in events
                if event.type == EventType.ERASED
            }
            self.redact_old_erasure_events()
        except (OSError, UnsafeFileOwnershipError) as error:
            raise SinkUnavailable(f"The events file cannot be written ({type(error).__name__}).") from None

    def redact_old_erasure_events(self) -> None:
        """Redact the erasure lines that have named their customer long enough. Cheap if there are none.

        Raises:
            OSError: the file cannot be written; the next call tries again.
        """
        named, oldest = self._unredacted_erasures(), datetime.now(UTC) - timedelta(seconds=self._named_s)
        expired = {
            event_id
            for event_id, erasure in named.items()
            if erasure.created_at <= oldest or erasure.deliveries >= self._named_deliveries
        }
        if expired:
            self._redact_events(expired)
            for event_id in expired:
                del named[event_id]

    def _unredacted_erasures(self) -> dict[str, _UnredactedErasure]:
        """Return the erasures in the file that still name a customer; the file is read once, after a start."""
        if self._named is None:
            lines = find_lines(self._path, f'"type":"{EventType.ERASED}"')
            self._named = {
                line["event_id"]: _UnredactedErasure(datetime.fromisoformat(line["created_at"]))
                for line in lines
                if line["customer_id"] is not None
            }
        return self._named

    def _redact_erased(self, erasure: Event) -> None:
        """Redact the lines of the erased customer or queries."""
        if erasure.type == EventType.ERASED and erasure.customer_id is not None:
            owner = (erasure.tenant, erasure.customer_id)
            needle = f'"customer_id":{json.dumps(erasure.customer_id, ensure_ascii=False)}'
            redact_lines(self._path, [needle], lambda line: (line.get("tenant"), line.get("customer_id")) == owner)
        elif erasure.type == EventType.QUERIES_ERASED:
            body = erasure.body()
            self._redact_events({*body["query_ids"], *body["feedback_ids"]})

    def _redact_events(self, event_ids: set[str]) -> None:
        needles = [f'"event_id":"{event_id}"' for event_id in event_ids]
        redact_lines(self._path, needles, lambda line: line.get("event_id") in event_ids)

    def _append(self, events: Sequence[Event]) -> None:
        lines = "".join(f"{event.line()}\n" for event in events).encode()
        file = self._open_file()
        try:
            size = os.fstat(file).st_size
            is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write_all(file, b"\n" + lines if is_torn else lines, size)
            os.fsync(file)
        finally:
            os.close(file)

    def _open_file(self) -> int:
        """Open the file. If it is missing, create it with mode 0600 and sync its folder."""
        try:
            return open_own_file(self._path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open_own_file(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            _sync_folder(self._path.parent)
            return file


def _write_all(file: int, data: bytes, size: int) -> None:
    """Append all of `data`, or truncate the file to `size` bytes, because a full disk may accept part of a line."""
    try:
        offset = 0
        while offset < len(data):
            offset += os.write(file, data[offset:])
    except OSError:
        os.ftruncate(file, size)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
