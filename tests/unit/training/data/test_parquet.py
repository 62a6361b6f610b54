from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import DataError
from training.data.column_mapping import ColumnMapping
from training.data.examples import Example, read_examples


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    import pyarrow
    from pyarrow.parquet import write_table

    columns = {"text": ["hello", "where is it"], "label": ["greet", "track"], "sentiment": [None, "neutral"]}
    write_table(pyarrow.table(columns), tmp_path / "train-00000.parquet")
    return tmp_path / "train-00000.parquet"


def test_rows_are_numbered_and_an_empty_cell_is_no_label(labelled: Path) -> None:
    assert read_examples(labelled, ColumnMapping(intent="label")) == (
        Example("hello", "greet", None, "train-00000-1"),
        Example("where is it", "track", "neutral", "train-00000-2"),
    )


def test_a_folder_of_parquet_takes_the_part_from_the_name(labelled: Path) -> None:
    assert {row.part for row in read_examples(labelled.parent, ColumnMapping(intent="label"))} == {"train"}


@pytest.mark.parametrize("kept", [0, 40, -8])
def test_a_truncated_file_is_named_in_the_error(labelled: Path, kept: int) -> None:
    labelled.write_bytes(labelled.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"train-00000\.parquet cannot be read as Parquet"):
        read_examples(labelled)
