"""The contents of a Bento, and the settings of a service that runs from one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bentos import bento_build as packing
from bentos.bento_build import LOCK_FILES, RECIPE, bento_settings, matching_lock_file_name, read_locked_packages
from frontdesk.config import PROJECT, ModelSettings, Settings
from frontdesk.errors import ConfigurationError


@pytest.fixture
def recipe() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PROJECT / RECIPE).read_text(encoding="utf-8"))
    return read


class FakeBento:
    """A Bento in `folder` with `models`, outside of any store."""

    def __init__(self, folder: Path, *models: str) -> None:
        self._folder = folder
        self.info = SimpleNamespace(models=[SimpleNamespace(tag=tag) for tag in models])

    def path_of(self, item: str) -> str:
        return str(self._folder / item)


class TestRecipe:
    def test_a_bento_gets_the_locked_packages_of_a_server(self, recipe: dict[str, Any]) -> None:
        assert recipe["python"]["requirements_txt"] == LOCK_FILES["onnxruntime"]
        assert "packages" not in recipe["python"]

    def test_no_module_has_the_name_of_the_bento(self, recipe: dict[str, Any]) -> None:
        assert importlib.util.find_spec(recipe["name"]) is None

    def test_every_part_that_is_included_is_there(self, recipe: dict[str, Any]) -> None:
        assert all((PROJECT / pattern.removesuffix("/**")).exists() for pattern in recipe["include"])


class TestLockedPackages:
    def test_each_is_one_line_with_its_marker_and_hashes(self, tmp_path: Path) -> None:
        lock = tmp_path / "a.lock"
        lock.write_text(
            "-r others.lock\n# a note\n"
            "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
            "uvloop==0.23.0 ; sys_platform != 'win32' \\\n    --hash=sha256:cc\n",
            encoding="utf-8",
        )

        assert read_locked_packages(lock) == [
            "six==1.17.0 --hash=sha256:aa --hash=sha256:bb",
            "uvloop==0.23.0 ; sys_platform != 'win32' --hash=sha256:cc",
        ]

    @pytest.mark.parametrize("package", ["onnxruntime", "onnxruntime-gpu"])
    def test_a_bento_is_for_the_accelerator_that_is_installed(
        self, monkeypatch: pytest.MonkeyPatch, package: str
    ) -> None:
        monkeypatch.setattr(packing, "distribution", only(package))

        assert f"{package}==" in (PROJECT / matching_lock_file_name()).read_text(encoding="utf-8")

    def test_without_either_nothing_is_guessed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packing, "distribution", only("another"))

        with pytest.raises(ConfigurationError, match="the lock file of the Bento cannot be chosen"):
            matching_lock_file_name()


def only(installed: str) -> Callable[[str], None]:
    """A fake of `distribution` that knows one installed package."""

    def distribution(name: str) -> None:
        if name != installed:
            raise PackageNotFoundError(name)

    return distribution


class TestPlaced:
    def test_a_home_inside_the_bento_moves_to_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bento, elsewhere = tmp_path / "bento", tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)

        settings = bento_settings(Settings(home=bento / "src" / "var"), FakeBento(bento))

        assert settings.home == elsewhere / "var"

    def test_a_home_elsewhere_stays(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home")

        assert bento_settings(settings, FakeBento(tmp_path / "bento")) == settings

    def test_a_bundle_that_is_named_is_served_instead_of_the_one_inside(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home", model=ModelSettings(bundle=tmp_path / "named"))

        assert bento_settings(settings, FakeBento(tmp_path / "bento", "frontdesk-ensemble:1")) == settings
