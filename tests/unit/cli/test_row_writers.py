from __future__ import annotations

from pathlib import Path

import pytest

from cli.row_writers import CsvWriter, JsonWriter, create_writer
from frontdesk.errors import DataError
from training.data.tables import Row, open_table
from training.data.tables.source import Source


def test_csv_has_the_format_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.TSV").write_bytes("text\tnote\r\nGröße\t1\r\n".encode("utf-16"))
    (table,) = open_table(Source(tmp_path / "a.TSV"), ("text",))
    writer = create_writer(table, ("intent",))
    assert writer.header.decode("utf-16") == '"text"\t"note"\t"intent"\r\n'
    (row,) = table.rows()
    assert writer.format_row(row, {"intent": "é"}).decode("utf-16-le") == '"Größe"\t"1"\t"é"\r\n'
    assert writer.suffix == ".tsv"


def test_cells_are_written_as_text_and_formulas_are_escaped() -> None:
    writer = CsvWriter(("a", "b", "c"), ("intent",))
    line = writer.format_row(Row(2, ("a", "b", "c"), (None, True, ["x", 1])), {"intent": "=1+1"})
    assert line == b'"","true","[""x"", 1]","\'=1+1"\n'


def test_a_short_row_is_filled_up() -> None:
    assert CsvWriter(("a", "b"), ("intent",)).format_row(Row(2, ("a", "b"), ("x",)), {"intent": 1}) == b'"x","","1"\n'


def test_an_intent_that_the_encoding_lacks_is_one_error() -> None:
    with pytest.raises(DataError, match="cannot be written in cp1252"):
        CsvWriter(("a",), ("intent",), codec="cp1252").format_row(Row(2, ("a",), ("x",)), {"intent": "возврат"})


def test_json_keeps_types_and_half_of_a_surrogate_pair() -> None:
    writer = JsonWriter(("intent",))
    assert (
        writer.format_row(Row(1, ("n", "t"), (1.5, "ü")), {"intent": None})
        == '{"n": 1.5, "t": "ü", "intent": null}\n'.encode()
    )
    assert writer.format_row(Row(1, ("t",), ("\ud83d",)), {"intent": "a"}) == b'{"t": "\\ud83d", "intent": "a"}\n'
