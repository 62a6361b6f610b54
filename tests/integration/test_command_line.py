"""Commands in the process of the tests do what commands in a process of their own do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, Counter

from tests.support import command_line
from tests.support.command_line import invoke
from tests.support.serving import frontdesk


@pytest.mark.parametrize("arguments", [("--version",), ("promote", "nothing"), ("token", "inspect", "-")])
def test_exit_code_output_and_errors_are_those_of_a_process(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    here, there = (command(tmp_path, *arguments, stdin="no token\n") for command in (invoke, frontdesk))

    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)
    assert here.stdout or here.stderr


def test_a_wrong_command_has_the_exit_code_of_a_wrong_usage(tmp_path: Path) -> None:
    assert invoke(tmp_path, "no-such-command").returncode == 2


def test_the_settings_of_the_call_are_in_force_for_the_command_alone(tmp_path: Path) -> None:
    before = dict(os.environ), list(sys.argv), list(sys.path)
    umask = os.umask(0o022)

    output = invoke(tmp_path, "config", "show", "--json", server__port=3456)

    assert '"port": 3456' in output.stdout
    assert (dict(os.environ), sys.argv, sys.path) == before
    assert os.umask(umask) == 0o022


def test_a_command_may_register_the_same_metrics_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "run", lambda: Counter("test_invoked", "Counts nothing."))

    assert [invoke(tmp_path).returncode for _ in range(2)] == [0, 0]
    assert "test_invoked" not in REGISTRY._names_to_collectors
