"""Lines and their keys."""

from __future__ import annotations

import pytest

from frontdesk.messages.lines import Lines, normalized
from frontdesk.types.message import PartKind


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\nb\r\n\r\nc", "ä\u2028b\x0bc", "x\x1cy\u00a0z\n\x1d", "\n\n"])
def test_lines_cover_the_text(text: str) -> None:
    lines = Lines(text)
    assert lines.starts[0] == 0
    assert lines.starts[-1] == len(text)
    assert "".join(text[start:end] for start, end in zip(lines.starts, lines.starts[1:], strict=False)) == text
    assert len(lines.keys) == len(lines.kinds) == len(lines.starts) - 1 == len(text.splitlines())


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("  a b \r\n", "a b"),
        ("\ufeffOn\u00a0Monday\u202f:", "On Monday :"),
        ("e\u0301crit", "écrit"),
        ("iPhone\u2019a \u2013 x", "iPhone'a - x"),
    ],
)
def test_a_key_is_normalized(line: str, key: str) -> None:
    assert normalized(line) == key
    assert Lines(line).keys == [key]


def test_a_line_is_split_at_offsets() -> None:
    lines = Lines("one two\nthree four\n")
    assert lines.split_all([(0, 4), (1, 14)]) == [0, 2]
    assert lines.keys == ["one", "two", "three", "four"]
    assert lines.starts == [0, 4, 8, 14, 19]


def test_runs_are_spans_without_a_kind() -> None:
    lines = Lines("a\nb\nc\nd\n")
    lines.mark(1, 2, PartKind.QUOTATION)
    assert list(lines.runs()) == [(0, 1), (2, 4)]


def test_hidden_lines_stay_hidden() -> None:
    lines = Lines("a\nb", [PartKind.HIDDEN, None])
    lines.mark(0, 2, PartKind.QUOTATION)
    assert lines.kinds == [PartKind.HIDDEN, PartKind.QUOTATION]
