"""What a Bento is built from, and where a service that is served from one finds its parts."""

from __future__ import annotations

import importlib.util
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from bentos.packing import RECIPE, pinned, placed
from frontdesk.config import PROJECT, ModelSettings, Settings


@pytest.fixture
def recipe() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PROJECT / RECIPE).read_text(encoding="utf-8"))
    return read


class FakeBento:
    """A Bento in `folder` that carries `models` and lies in no store."""

    def __init__(self, folder: Path, *models: str) -> None:
        self._folder = folder
        self.info = SimpleNamespace(models=[SimpleNamespace(tag=tag) for tag in models])

    def path_of(self, item: str) -> str:
        return str(self._folder / item)


class TestRecipe:
    def test_a_bento_needs_what_the_project_needs(self, recipe: dict[str, Any]) -> None:
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        needed = [*project["dependencies"], *project["optional-dependencies"]["cpu"]]

        ours = {str(Requirement(line)) for line in recipe["python"]["packages"]}
        assert ours == {str(need) for need in map(Requirement, needed) if need.name != "bentoml"}

    def test_no_module_has_the_name_of_the_bento(self, recipe: dict[str, Any]) -> None:
        assert importlib.util.find_spec(recipe["name"]) is None

    def test_every_part_that_is_included_is_there(self, recipe: dict[str, Any]) -> None:
        assert all((PROJECT / pattern.removesuffix("/**")).exists() for pattern in recipe["include"])


class TestPinned:
    def test_a_package_is_pinned_with_what_it_needs(self) -> None:
        pins = pinned(["sqlalchemy>=2.1"])

        assert f"sqlalchemy=={version('sqlalchemy')}" in pins
        assert f"typing-extensions=={version('typing-extensions')}" in pins

    def test_an_extra_brings_what_it_needs(self) -> None:
        assert f"cryptography=={version('cryptography')}" in pinned(["pyjwt[crypto]>=2.13"])

    def test_a_package_that_is_not_installed_keeps_its_range(self) -> None:
        assert "nobody-installs-this>=1.0" in pinned(["nobody-installs-this>=1.0"])

    def test_bentoml_is_left_to_bentoml_but_what_it_needs_is_pinned(self) -> None:
        pins = pinned([])

        assert not any(pin.startswith("bentoml==") for pin in pins)
        assert f"uvicorn=={version('uvicorn')}" in pins


class TestPlaced:
    def test_a_home_inside_the_bento_moves_to_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bento, elsewhere = tmp_path / "bento", tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)

        settings = placed(Settings(home=bento / "src" / "var"), FakeBento(bento))

        assert settings.home == elsewhere / "var"

    def test_a_home_elsewhere_stays(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home")

        assert placed(settings, FakeBento(tmp_path / "bento")) == settings

    def test_a_bundle_that_is_named_is_served_instead_of_the_one_inside(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home", model=ModelSettings(bundle=tmp_path / "named"))

        assert placed(settings, FakeBento(tmp_path / "bento", "frontdesk-ensemble:1")) == settings
