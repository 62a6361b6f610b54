from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from model_store.bundle import open_bundle
from model_store.promotion import champion_path

THINGS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def test_own_data_without_policies_or_sentiment_becomes_a_bundle_that_automates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_HOME", str(tmp_path / "home"))
    texts = [
        f"{verb} my {thing} {verb}ing {other}" for verb in ("open", "close") for thing in THINGS for other in THINGS
    ]
    (tmp_path / "own.csv").write_text("said,about\n" + "".join(f"{text},{text.split()[0]}_it\n" for text in texts))
    flags = ["--text", "said", "--intent", "about", "--profile", "tiny"]
    process = CliRunner().invoke(app, ["train", "--data", str(tmp_path / "own.csv"), *flags])
    assert process.exit_code == 0, process.output
    assert "2 intents have no policy (close_it, open_it)" in process.output
    assert "No row of the data has a sentiment" in process.output
    bundle = open_bundle(champion_path(tmp_path / "home" / "bundles"))
    assert bundle.manifest.intents == ("close_it", "open_it")
    assert bundle.taxonomy().intents_without_policy() == ("close_it", "open_it")
    home = tmp_path / "home"
    assert not [path for path in (home, *home.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]
