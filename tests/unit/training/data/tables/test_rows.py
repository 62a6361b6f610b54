from __future__ import annotations

import pytest

from frontdesk.errors import DataError
from training.data.tables.rows import Row, find_column, find_header, list_columns, normalise_name


@pytest.mark.parametrize("name", ["text", "TEXT", " Text ", "\ufefftext", "text\u200b"])
def test_a_column_is_found_without_regard_to_case_spaces_and_invisible_characters(name: str) -> None:
    assert normalise_name(name) == "text"
    assert find_column(("id", name), "text") == 1


def test_unknown_and_empty_names_have_no_column() -> None:
    assert find_column(("", "text"), "") is None
    assert find_column(("", "text"), "intent") is None


def test_two_columns_of_one_name_are_refused_with_their_numbers() -> None:
    with pytest.raises(DataError, match=r"Columns 2 and 4 are both named 'text'"):
        find_column(("id", "text", "intent", "Text "), "text")


def test_a_row_has_cells_by_name_and_none_beyond_its_end() -> None:
    row = Row(2, ("text", "intent"), ("hello",))
    assert (row.cell("Text"), row.cell("intent"), row.cell("other")) == ("hello", None, None)


def test_a_list_of_columns_is_cut_and_holds_no_control_characters() -> None:
    assert list_columns(["a\x00b", "", "c"]) == "a?b, c"
    assert list_columns([str(number) for number in range(40)]).endswith("29 and 10 more")
    assert list_columns([]) == "none"


def test_the_header_is_the_first_record_with_a_value_or_below_titles() -> None:
    header = ["id", "Text ", "intent"]
    assert find_header([["", ""], header, ["1", "x", "a"]], ("text",)) == 1
    assert find_header([["March"], [], ["Team A", ""], header], ("text",)) == 3
    assert find_header([["message"], ["hello", "text me"], ["x", "y"]], ("text",)) == 0
    assert find_header([], ("text",)) == find_header([["", " "]], ("text",)) == 0
