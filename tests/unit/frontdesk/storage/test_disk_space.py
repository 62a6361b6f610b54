"""New work is refused while the disk is nearly full; the disk is checked at most once a second."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from frontdesk.errors import StorageUnavailable
from frontdesk.storage import disk_space
from frontdesk.storage.disk_space import DiskSpace


def test_below_the_floor_new_work_is_refused_and_above_it_is_not(tmp_path: Path) -> None:
    observed: list[int] = []
    with pytest.raises(StorageUnavailable, match="nearly full"):
        DiskSpace([tmp_path], 1 << 62, observed.append).check()
    DiskSpace([tmp_path], 1, observed.append).check()
    assert min(observed) > 0


def test_the_fullest_file_system_decides_and_a_missing_folder_counts_as_full(tmp_path: Path) -> None:
    room = DiskSpace([tmp_path, tmp_path / "gone"], 1)
    assert (room.free_bytes, room.is_low) == (0, True)


def test_a_floor_of_zero_never_refuses(tmp_path: Path) -> None:
    DiskSpace([tmp_path / "gone"], 0).check()


def test_many_calls_check_the_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []

    def look(folder: Path) -> os.statvfs_result:
        looks.append(folder)
        return os.statvfs(tmp_path)

    monkeypatch.setattr(disk_space, "_free", lambda folder: look(folder).f_bavail)
    room = DiskSpace([tmp_path], 1)
    for _ in range(1000):
        room.check()
    assert looks == [tmp_path]
