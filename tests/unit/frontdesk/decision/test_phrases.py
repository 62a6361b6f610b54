"""Notation and matching of phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.phrases import PhraseIndex, fold_text, parse_phrase, tokenize


def occurs(phrases: list[str], text: str) -> bool:
    return any(PhraseIndex.build([phrases]).find(tokenize(fold_text(text))))


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("sue", "I will sue", True),
        ("sue", "an issue, Suetonius", False),
        ("hack*", "they hacked me", True),
        ("hack*", "a lifehack", False),
        ("unauthori* charge", "an unauthorised  charge", True),
        ("unauthori* charge", "an unauthorised big charge", False),
        ("c++", "I use C++ here", True),
        ("c++", "ccc", False),
        ("a.c", "abc", False),
        ("(really", "no (really)", True),
        ("$5 [off", "get $5 [off now", True),
    ],
)
def test_a_phrase_is_matched_literally_on_word_boundaries(phrase: str, text: str, matches: bool) -> None:
    assert occurs(["never matches", phrase], text) is matches


@given(st.text(st.characters(exclude_categories=["Z", "C", "M"], exclude_characters="*|’‘ʼ´`"), min_size=1))
def test_any_phrase_matches_itself_including_signs(phrase: str) -> None:
    assert occurs([phrase], f"so: {phrase} !")


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("it is not urgent", True),
        ("not a very urgent one", True),
        ("NOT  that\nurgent", True),
        ("this is not at all URGENT", True),
        ("do not ignore this urgent message", False),
        ("why was this not treated as urgent", False),
        ("not now, urgent", False),
        ("not so, urgent", False),
        ("not a very very very urgent one", False),
    ],
)
def test_dots_between_two_words_match_a_few_modifiers(text: str, matches: bool) -> None:
    assert occurs(["not ... urgent*"], text) is matches


@pytest.mark.parametrize("phrase", ["...", "... x", "x ..."])
def test_dots_that_are_not_between_words_are_literal(phrase: str) -> None:
    assert occurs([phrase], f"so {phrase} !")
    assert not occurs([phrase], "so x very !")


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("hack(|s|ed)", "they hacked it", True),
        ("hack(|s|ed)", "a hack", True),
        ("hack(|s|ed)", "a hacksaw", False),
        ("unauthori(s|z)ed (access|login)", "an unauthorized login", True),
        ("(he's|my father is) ill", "My father is ill", True),
        ("(he's|my father is) ill", "he’s ill", True),
        ("(he's|my father is) ill", "my father ill", False),
        ("gas (|very) leak", "gas leak", True),
        ("(|very) ... urgent", "urgent", True),
        ("gas (|very) leak", "a gas very leak", True),
        ("post ~3 forum", "post this on a forum", True),
        ("post ~3 forum", "post forum", True),
        ("post ~0 forum", "post forum", True),
        ("post ~3 forum", "post this on a public forum", False),
        ("post ~3 forum", "post this. Which forum", False),
        ("post ~3 forum", "post this\n\nforum", False),
        ("post ~3 forum", "post it,\nforum", True),
        ("medic* help", "medical help", True),
        ("to medic*", "to medics", True),
        ("not ... high-priority", "not a very high - priority one", True),
        ("court", "the court's letter", True),
        ("isn't", "it isnâ€™t", True),
        ("isn't", "it isn\u2019t", True),
        ("hacked", "ha\u200bcked", True),
        ("non-urgent", "non\u2011urgent", True),
    ],
)
def test_the_notation_of_phrases(phrase: str, text: str, matches: bool) -> None:
    assert occurs([phrase], text) is matches


def test_a_phrase_without_a_word_stands_for_nothing() -> None:
    assert parse_phrase("(|)") == [] == parse_phrase("  ")


def test_a_gap_is_as_long_as_possible() -> None:
    tokens = tokenize("follow us on ants, bees and cats")
    ends = {end for _, _, end in PhraseIndex.build([["follow us ~9 (ants|bees|cats)"]]).find(tokens)}
    assert max(ends) == len(tokens)


def test_each_cue_is_reported_with_the_position_of_its_phrase() -> None:
    spans = PhraseIndex.build([["red"], ["red car", "blue"]]).find(tokenize("a red car"))
    assert sorted(spans) == [(0, 1, 2), (1, 1, 3)]
