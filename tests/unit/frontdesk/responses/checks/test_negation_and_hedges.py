"""Modifiers, each with the word that it modifies."""

from __future__ import annotations

import pytest

from frontdesk.responses.checks.negation_and_hedges import find_modifiers


@pytest.mark.parametrize(
    ("text", "modifiers"),
    [
        (
            "You can cancel it until it leaves, usually within 24 hours.",
            {("until", "leav"), ("usually", "24"), ("within", "24")},
        ),
        ("As soon as it leaves", {("after", "leav")}),
        ("Once it leaves", {("after", "leav")}),
        ("It can't be changed any more.", {("not", "chang")}),
        ("It can no longer be changed.", {("not", "chang")}),
        ("The changes apply at once.", {("at once", "")}),
        ("We will check it, we'll write.", {("we", "check"), ("will", "check"), ("we", "writ")}),
        ("Open Orders and choose Cancel.", set()),
        ("", set()),
    ],
)
def test_a_modifier_is_paired_with_the_next_content_word(text: str, modifiers: set[tuple[str, str]]) -> None:
    assert find_modifiers(text, "en") == modifiers


def test_other_languages_have_their_own_modifiers() -> None:
    assert find_modifiers("Sie können nur vor dem Versand stornieren.", "de") == {("nur", "versan"), ("vor", "versan")}
