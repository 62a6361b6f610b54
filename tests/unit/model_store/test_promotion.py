from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from model_store.promotion import (
    HISTORY,
    champion_path,
    previous_champion,
    promote,
    promotion_history,
    rollback,
    versions,
)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    for name in ("20260101-a", "20260102-b", "20260103-c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    return tmp_path


def test_the_pointer_follows_the_promotion(bundles: Path) -> None:
    promote(bundles, "20260101-a")
    assert champion_path(bundles).name == "20260101-a"
    promote(bundles, "20260102-b")
    assert champion_path(bundles).name == "20260102-b"
    assert [path.name for path in bundles.iterdir() if path.name.startswith(".")] == []


def test_before_the_first_promotion_the_error_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="frontdesk train"):
        champion_path(tmp_path)


def test_a_version_that_is_not_there_is_not_promoted(bundles: Path) -> None:
    promote(bundles, "20260101-a")
    with pytest.raises(BundleError):
        promote(bundles, "20260104-d")
    assert champion_path(bundles).name == "20260101-a"


@pytest.mark.parametrize("content", ["", "../elsewhere", "20260109-x", "20260101-a/members"])
def test_a_pointer_to_nothing_or_out_of_the_folder_is_refused(bundles: Path, content: str) -> None:
    (bundles / "20260101-a" / "members").mkdir()
    (bundles.parent / "elsewhere").mkdir(exist_ok=True)
    (bundles / "champion").write_text(content)
    with pytest.raises(BundleError, match="champion pointer"):
        champion_path(bundles)


def test_versions_lists_bundles_only(bundles: Path) -> None:
    (bundles / ".staged").mkdir()
    (bundles / "notes").mkdir()
    promote(bundles, "20260101-a")
    assert versions(bundles) == ("20260101-a", "20260102-b", "20260103-c")
    assert versions(bundles / "none") == ()


def test_the_history_says_when_what_and_why_newest_last(bundles: Path) -> None:
    promote(bundles, "20260101-a", "the first")
    promote(bundles, "20260102-b", "better")
    rollback(bundles, "customers complained")
    moves = promotion_history(bundles)
    assert [(move.action, move.version, move.reason) for move in moves] == [
        ("promote", "20260101-a", "the first"),
        ("promote", "20260102-b", "better"),
        ("rollback", "20260101-a", "customers complained"),
    ]
    assert all(datetime.fromisoformat(move.at).utcoffset() == timedelta(0) for move in moves)


def test_each_rollback_goes_one_further_back_and_the_first_champion_has_none_before(bundles: Path) -> None:
    for version in ("20260101-a", "20260102-b", "20260103-c"):
        promote(bundles, version)
    assert [rollback(bundles, "why") for _ in range(2)] == ["20260102-b", "20260101-a"]
    with pytest.raises(BundleError, match="no champion before"):
        rollback(bundles, "why")
    assert champion_path(bundles).name == "20260101-a"


def test_after_a_rollback_and_a_promotion_the_version_rolled_back_from_is_forgotten(bundles: Path) -> None:
    promote(bundles, "20260101-a")
    promote(bundles, "20260102-b")
    rollback(bundles, "why")
    promote(bundles, "20260103-c")
    assert previous_champion(bundles) == "20260101-a"


def test_promoting_the_champion_again_does_not_make_it_its_own_predecessor(bundles: Path) -> None:
    for version in ("20260101-a", "20260102-b", "20260102-b"):
        promote(bundles, version)
    assert previous_champion(bundles) == "20260101-a"


def test_a_champion_from_before_the_history_can_be_gone_back_to(bundles: Path) -> None:
    (bundles / "champion").write_text("20260101-a\n")
    promote(bundles, "20260102-b")
    assert rollback(bundles, "why") == "20260101-a"


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_a_history_ahead_of_the_pointer_is_ignored(bundles: Path, action: str) -> None:
    """The state after an interruption between the two files: the history has the move, the pointer is the old one."""
    promote(bundles, "20260101-a")
    promote(bundles, "20260102-b")
    promote(bundles, "20260103-c") if action == "promote" else rollback(bundles, "why")
    (bundles / "champion").write_text("20260102-b\n")
    assert previous_champion(bundles) == "20260101-a"


def test_a_predecessor_that_was_deleted_is_named_and_the_champion_stays(bundles: Path) -> None:
    promote(bundles, "20260101-a")
    promote(bundles, "20260102-b")
    shutil.rmtree(bundles / "20260101-a")
    before = (bundles / HISTORY).read_text()
    with pytest.raises(BundleError, match="20260101-a"):
        rollback(bundles, "why")
    assert champion_path(bundles).name == "20260102-b"
    assert (bundles / HISTORY).read_text() == before
