from __future__ import annotations

from pathlib import Path

from runners.balancing.shared_load import LoadBoard


def test_each_worker_sees_what_the_others_tell(tmp_path: Path) -> None:
    boards = [LoadBoard(tmp_path, index, 3) for index in range(3)]
    boards[0].tell(7)
    boards[2].tell(2)
    assert boards[1].others() == {0: 7, 2: 2}
    assert boards[0].others() == {1: 0, 2: 2}


def test_a_worker_that_comes_back_begins_with_nothing_to_do(tmp_path: Path) -> None:
    first, second = LoadBoard(tmp_path, 0, 2), LoadBoard(tmp_path, 1, 2)
    first.tell(99)
    LoadBoard(tmp_path, 0, 2)
    assert second.others() == {0: 0}


def test_one_that_goes_leaves_no_load_behind(tmp_path: Path) -> None:
    first, second = LoadBoard(tmp_path, 0, 2), LoadBoard(tmp_path, 1, 2)
    first.tell(5)
    first.close()
    assert second.others() == {0: 0}
