"""Word lists are read from YAML without changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.masking.lexicons import read_word_lists
from frontdesk.masking.lexicons.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.masking.lexicons.link_words import LINK_WORDS
from frontdesk.masking.lexicons.reference_words import ACCOUNT, ORDER


def test_words_keep_their_order_over_lines_and_sections(tmp_path: Path) -> None:
    (tmp_path / "some.yaml").write_text(
        "# a comment\nlinks: >-\n  no on\n  y can't is:\nkinds:\n  english: >-\n    order\n  german: bestellung 12\n"
    )

    assert read_word_lists("some", tmp_path) == {
        "links": ("no", "on", "y", "can't", "is:"),
        "kinds": ("order", "bestellung", "12"),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n- b\n", "some.yaml is not a mapping"),
        ("words: [a, b]\n", "words in some.yaml"),
        ("words: no\n", "words in some.yaml"),  # a boolean to YAML
        ("words: ''\n", "words in some.yaml"),
        ("words: {}\n", "words in some.yaml"),
        ("words:\n  english: a\n  german:\n", "words in some.yaml"),
    ],
)
def test_anything_but_lists_of_words_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "some.yaml").write_text(text)

    with pytest.raises(ValueError, match=problem):
        read_word_lists("some", tmp_path)


def test_words_that_yaml_could_read_as_something_else_are_words() -> None:
    assert {"no", "on", "y"} <= set(LINK_WORDS)
    assert "order's" in ORDER
    assert {"konto", "kontot"} <= ACCOUNT


def test_an_ambiguous_name_is_no_given_name() -> None:
    assert "rose" in AMBIGUOUS
    assert AMBIGUOUS.isdisjoint(GIVEN_NAMES)
