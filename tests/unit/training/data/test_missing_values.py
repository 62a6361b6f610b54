from __future__ import annotations

import pytest

from training.data.missing_values import is_blank, is_missing


@pytest.mark.parametrize("cell", [None, "", "  ", "\u00a0", float("nan")])
def test_an_empty_cell_is_blank_and_missing(cell: object) -> None:
    assert is_blank(cell)
    assert is_missing(cell)


@pytest.mark.parametrize("cell", ["nan", "NaN", "NULL", "null", "N/A", "n/a", "-", " - ", "#N/A", "<NA>", "\u2014"])
def test_a_word_that_stands_for_a_missing_value_is_missing_and_not_blank(cell: str) -> None:
    assert is_missing(cell)
    assert not is_blank(cell)


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "none", "no", "na", "null and void", "-1", [], {}])
def test_other_values_are_values(cell: object) -> None:
    assert not is_missing(cell)
