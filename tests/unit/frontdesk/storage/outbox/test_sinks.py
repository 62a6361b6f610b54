"""The file sink writes whole lines to disk, also after a torn line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from frontdesk.storage.events import answered_event
from frontdesk.storage.outbox.sinks import FileSink, SinkUnavailable
from tests.support.records import record

EVENTS = [answered_event(record(query_id=str(number))) for number in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "told" / "events.jsonl"


def event_ids(path: Path) -> list[str]:
    return [json.loads(line)["event_id"] for line in path.read_text().splitlines()]


def test_events_are_appended_as_lines_in_order(path: Path) -> None:
    sink = FileSink(path)
    sink.deliver(EVENTS[:2])
    sink.deliver(EVENTS[2:])
    assert event_ids(path) == ["0", "1", "2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_a_crash_has_torn_is_ended_before_the_next(path: Path) -> None:
    sink = FileSink(path)
    sink.deliver(EVENTS[:1])
    with path.open("a") as file:
        file.write('{"event_id":"1","pay')
    sink.deliver(EVENTS[1:])
    first, torn, *others = path.read_text().splitlines()
    assert torn == '{"event_id":"1","pay'
    assert [json.loads(line)["event_id"] for line in (first, *others)] == ["0", "1", "2"]


def test_a_file_that_was_moved_away_is_created_again(path: Path) -> None:
    sink = FileSink(path)
    sink.deliver(EVENTS[:1])
    path.rename(path.with_suffix(".1"))
    sink.deliver(EVENTS[1:])
    assert event_ids(path) == ["1", "2"]


def test_a_file_that_cannot_be_written_is_an_unavailable_sink(tmp_path: Path) -> None:
    with pytest.raises(SinkUnavailable, match="IsADirectoryError"):
        FileSink(tmp_path).deliver(EVENTS)


def test_a_disk_that_fills_up_leaves_no_part_of_a_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up between two writes of one delivery. No small file system does this on demand."""
    sink = FileSink(path)
    sink.deliver(EVENTS[:1])
    write, room = os.write, iter([10])

    def fills_up(file: int, data: bytes) -> int:
        for size in room:
            return write(file, data[:size])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(SinkUnavailable):
        sink.deliver(EVENTS[1:])
    monkeypatch.undo()
    assert event_ids(path) == ["0"]
