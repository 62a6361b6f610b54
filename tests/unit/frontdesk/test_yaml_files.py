"""YAML files of a team are read, or refused with their path."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from frontdesk.yaml_files import read_yaml


def test_yaml_and_json_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("größe: [1, 2]\n", encoding="utf-8")
    (tmp_path / "a.json").write_text('{"a": null}')

    assert read_yaml(tmp_path / "a.yaml", "list") == {"größe": [1, 2]}
    assert read_yaml(tmp_path / "a.json", "list") == {"a": None}


def test_a_missing_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"There is no taxonomy at {tmp_path / 'none.yaml'}"):
        read_yaml(tmp_path / "none.yaml", "taxonomy")


def test_what_is_not_yaml_is_refused_with_its_path_and_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1\n")

    with pytest.raises(ConfigurationError, match=r"bad.yaml is not valid YAML: [^$]*line 1, column 4"):
        read_yaml(tmp_path / "bad.yaml", "taxonomy")
