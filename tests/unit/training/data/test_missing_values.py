from __future__ import annotations

import pytest

from training.data.missing_values import is_blank, is_missing, is_missing_text


@pytest.mark.parametrize("cell", [None, "", "  ", "\u00a0", "\u200b", "\ufeff \u2800", "\u3164", float("nan")])
def test_an_empty_cell_is_blank_and_missing(cell: object) -> None:
    assert is_blank(cell)
    assert is_missing(cell)


@pytest.mark.parametrize("cell", ["nan", "NaN", "NULL", "null", "N/A", "n/a", "-", " - ", "#N/A", "<NA>", "\u2014"])
def test_a_word_that_stands_for_a_missing_value_is_missing_and_not_blank(cell: str) -> None:
    assert is_missing(cell)
    assert is_missing_text(cell)
    assert not is_blank(cell)


@pytest.mark.parametrize("cell", ["None", "none", "NA", "n.a.", "?", "#NAME?", "(blank)", "undefined"])
def test_a_word_that_may_be_a_message_is_missing_as_a_label_only(cell: str) -> None:
    assert is_missing(cell)
    assert not is_missing_text(cell)


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "no", "null and void", "-1", "\U0001f600", "\u200bx", [], {}])
def test_other_values_are_values(cell: object) -> None:
    assert not is_missing(cell)
