"""Every command verifies the signature of the served bundle; a challenger is opened with a note."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bentos.wiring.model import open_bundle_at
from cli import gpu_check
from cli.main import app
from frontdesk.config import load_settings
from frontdesk.errors import BundleError
from model_store.manifest import SIGNATURE
from model_store.promotion import champion_path
from tests.support.serving import environment

ROWS = "text,intent\nWhere is my parcel?,track_order\n"


@pytest.fixture
def unsigned(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose champion has lost its signature."""
    (champion_path(home / "bundles") / SIGNATURE).unlink()
    monkeypatch.setenv("FRONTDESK_HOME", str(home))
    return home


def refusal(*arguments: str) -> str:
    process = CliRunner().invoke(app, list(arguments))
    assert isinstance(process.exception, BundleError), process.output
    return process.exception.message


@pytest.mark.parametrize("command", ["classify", "explain", "evaluate", "compare", "build", "knowledge", "ask"])
def test_a_command_refuses_a_champion_without_a_signature(unsigned: Path, tmp_path: Path, command: str) -> None:
    version = champion_path(unsigned / "bundles").name
    (tmp_path / "rows.csv").write_text(ROWS)
    arguments = {
        "classify": ["classify", str(tmp_path / "rows.csv"), "--prefix", "found_"],
        "explain": ["explain", "Where is my parcel?"],
        "evaluate": ["evaluate", version, "--data", str(tmp_path / "rows.csv")],
        "compare": ["compare", version, version],
        "build": ["build"],
        "knowledge": ["knowledge", "check"],
        "ask": ["ask", "--local", "Where is my parcel?"],
    }[command]
    assert "is not signed" in refusal(*arguments)


def test_doctor_and_the_gpu_check_report_it(unsigned: Path) -> None:
    assert "is not signed" in CliRunner().invoke(app, ["doctor"]).output
    assert "is not signed" in gpu_check._find_champion_with_encoders(load_settings())[1].told


def test_a_bundle_that_the_settings_name_is_a_served_one(
    unsigned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = champion_path(unsigned / "bundles")
    named = Path(shutil.copytree(champion, tmp_path / champion.name))
    monkeypatch.setenv("FRONTDESK_MODEL__BUNDLE", str(named))
    assert "is not signed" in refusal("explain", "Where is my parcel?")
    with pytest.raises(BundleError, match="is not signed"):
        open_bundle_at(load_settings(), named)


def test_a_challenger_is_opened_with_a_note(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    champion = champion_path(home / "bundles")
    challenger = Path(shutil.copytree(champion, tmp_path / champion.name))
    (challenger / SIGNATURE).unlink()
    settings = load_settings(environment=environment(home))
    assert open_bundle_at(settings, challenger).version == champion.name
    assert f"note The bundle {champion.name} is not signed." in capsys.readouterr().err
    assert open_bundle_at(settings, champion).signature
    assert capsys.readouterr().err == ""
