"""Child processes import modules from the installation, never from the current directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from frontdesk.child_processes import PROJECT, child_environment, drop_cwd_from_sys_path, python_module_command
from frontdesk.config import CONFIG_VARIABLE, load_settings, path_variables_for_children


def test_a_module_in_the_current_directory_is_not_run_nor_imported(tmp_path: Path) -> None:
    (tmp_path / "this.py").write_text("print('planted')")
    (tmp_path / "frontdesk.py").write_text("print('planted')")
    command, variables = python_module_command("this"), child_environment()
    assert "Zen of Python" in _output(command, tmp_path, variables)
    inner = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'this'])"
    assert "Zen of Python" in _output([sys.executable, "-c", inner], tmp_path, variables)
    assert str(PROJECT) in _output([sys.executable, "-c", "import frontdesk; print(frontdesk)"], tmp_path, variables)


def _output(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("entry", ["", ".", "modules", "/opt/a::/opt/b"])
def test_search_path_entries_for_the_current_directory_are_not_inherited(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", entry)
    passed_on = child_environment()["PYTHONPATH"].split(os.pathsep)
    assert passed_on == [str(PROJECT), *(part for part in entry.split(":") if part.startswith("/"))]


def test_the_current_directory_is_removed_from_the_search_path_unless_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("", ".", str(tmp_path)):
        monkeypatch.setattr(sys, "path", [name, "/somewhere"])
        drop_cwd_from_sys_path({})
        assert sys.path == ["/somewhere"]
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    drop_cwd_from_sys_path({"PYTHONPATH": str(tmp_path)})
    assert sys.path == [str(tmp_path)]
    monkeypatch.chdir(PROJECT)
    monkeypatch.setattr(sys, "path", [str(PROJECT)])
    drop_cwd_from_sys_path({})
    assert sys.path == [str(PROJECT)]


def test_a_process_in_another_directory_uses_the_same_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configuration.yaml").write_text(
        "home: here\npolicy: {priority: 'a: b.yaml'}\nstorage: {url: 'sqlite:///r.db'}\nllm: {api_key_file: /abs/key}"
    )
    settings = load_settings(environment={})
    variables = path_variables_for_children(settings, {})
    assert variables[CONFIG_VARIABLE] == str(tmp_path / "configuration.yaml")
    monkeypatch.chdir("/")
    child_settings = load_settings(environment=variables)
    assert child_settings.home == settings.home == tmp_path / "here"
    assert child_settings.policy.priority == tmp_path / "a: b.yaml"
    assert child_settings.storage.url == f"sqlite:///{tmp_path}/r.db"
    assert child_settings.llm.api_key_file == Path("/abs/key")
