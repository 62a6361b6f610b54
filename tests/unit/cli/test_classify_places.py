"""`frontdesk classify` checks before its work that the output can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.serving import frontdesk


@pytest.mark.parametrize("name", ["in.classified.csv", "in.classified.csv.part.json"])
def test_a_folder_with_the_name_of_the_output_or_the_record_is_an_error_of_one_line(tmp_path: Path, name: str) -> None:
    """The check comes before the champion is loaded: this home has none."""
    (tmp_path / "in.csv").write_text("id,text\n1,where is my parcel\n")
    (tmp_path / name).mkdir()
    result = frontdesk(tmp_path / "home", "classify", str(tmp_path / "in.csv"))
    assert result.returncode == 1
    assert result.stderr.startswith(f"error {tmp_path / name} is in the way")
    assert "Traceback" not in result.stderr


def test_an_output_in_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,where is my parcel\n")
    output = tmp_path / "nowhere" / "out.csv"
    result = frontdesk(tmp_path / "home", "classify", str(tmp_path / "in.csv"), "--output", str(output))
    assert result.stderr.startswith(f"error Nothing can be written to the folder {output.parent}")
