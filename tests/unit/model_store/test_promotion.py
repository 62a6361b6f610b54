from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from model_store.promotion import champion_path, promote, versions


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    for name in ("20260101-a", "20260102-b"):
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
        promote(bundles, "20260103-c")
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
    assert versions(bundles) == ("20260101-a", "20260102-b")
    assert versions(bundles / "none") == ()
