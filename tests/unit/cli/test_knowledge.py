from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE
from frontdesk.taxonomy import STARTER_TAXONOMY


def check(folder: Path, *more: str) -> tuple[int, str]:
    arguments = ["knowledge", "check", str(folder), "--taxonomy", str(STARTER_TAXONOMY), *more]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout


def test_the_starter_passages_pass() -> None:
    assert check(STARTER_KNOWLEDGE) == (0, "27 passages: 0 errors, 0 warnings.\n")


def test_missing_intents_are_errors_in_the_json(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text((STARTER_KNOWLEDGE / "review.md").read_text())
    code, output = check(tmp_path, "--json")
    assert code == 1
    summary = json.loads(output)
    assert (summary["passages"], summary["errors"], summary["warnings"]) == (1, 24, 2)
    assert summary["problems"][0]["rule"] == "missing"
