"""Words, stems and sentences."""

from __future__ import annotations

import pytest

from frontdesk.responses.text.normalization import content_stems, split_sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One.", ["One."]),
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("It costs 3.50 today... Really?!\n\nYes.\n", ["It costs 3.50 today... ", "Really?!\n\n", "Yes.\n"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentences_joined_are_the_text(text: str, pieces: list[str]) -> None:
    assert split_sentences(text) == pieces


@pytest.mark.parametrize(
    ("one", "other"),
    [("cancelled", "cancelling"), ("refunds", "refunded"), ("takes", "take"), ("deliveries", "delivery")],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert content_stems(one) == content_stems(other)
