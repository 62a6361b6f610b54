from __future__ import annotations

import pytest

from training.data.escaped_line_breaks import restore_line_breaks


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        (r"Hello team,\n\nthe kettle leaks.\nThanks", "Hello team,\n\nthe kettle leaks.\nThanks"),
        (r"Hello\r\n\r\nthe kettle leaks", "Hello\n\nthe kettle leaks"),
        (r"order 7\nOver and out\n", "order 7\nOver and out\n"),
        (r"two\n \nlines", "two\n\nlines"),
    ],
)
def test_escaped_line_breaks_become_real_ones(text: str, restored: str) -> None:
    assert restore_line_breaks(text) == restored


@pytest.mark.parametrize("text", [r"C:\new\notes.txt", r"\\server\notes", "no\nbreaks", r"a\\n", r"regex \d\n+"])
def test_backslashes_of_paths_stay(text: str) -> None:
    assert restore_line_breaks(text) == text
