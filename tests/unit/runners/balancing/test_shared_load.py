from __future__ import annotations

from pathlib import Path

from runners.balancing.shared_load import LoadBoard


def test_each_worker_sees_the_loads_of_the_others(tmp_path: Path) -> None:
    boards = [LoadBoard(tmp_path, index, 3) for index in range(3)]
    boards[0].publish(7)
    boards[2].publish(2)
    assert boards[1].loads_of_others() == {0: 7, 2: 2}
    assert boards[0].loads_of_others() == {1: 0, 2: 2}


def test_a_restarted_worker_begins_without_load(tmp_path: Path) -> None:
    first, second = LoadBoard(tmp_path, 0, 2), LoadBoard(tmp_path, 1, 2)
    first.publish(99)
    LoadBoard(tmp_path, 0, 2)
    assert second.loads_of_others() == {0: 0}


def test_a_stopped_worker_has_no_load(tmp_path: Path) -> None:
    first, second = LoadBoard(tmp_path, 0, 2), LoadBoard(tmp_path, 1, 2)
    first.publish(5)
    first.close()
    assert second.loads_of_others() == {0: 0}


def test_only_workers_with_texts_are_busy(tmp_path: Path) -> None:
    boards = [LoadBoard(tmp_path, index, 4) for index in range(4)]
    for board, load in zip(boards, (9, 0, 1, 7), strict=True):
        board.publish(load)
    assert [board.count_busy_others() for board in boards] == [2, 3, 2, 2]


def test_a_load_published_after_close_is_ignored(tmp_path: Path) -> None:
    first, second = LoadBoard(tmp_path, 0, 2), LoadBoard(tmp_path, 1, 2)
    first.close()
    first.publish(5)
    assert second.loads_of_others() == {0: 0}
