from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from frontdesk.features import tfidf as module
from frontdesk.features.tfidf import Vectoriser, tokenize

TEXTS = [
    "Where is my parcel? Where is it!",
    "I want to cancel my order [ORDER_1] please",
    "cancel cancel cancel, I can’t wait",
    "the parcel has not come 😡",
    "my order and my parcel",
]


def test_tokens_are_lower_case_with_marks_symbols_and_placeholders() -> None:
    assert tokenize("I CAN’T find [ORDER_12]! 😡") == ["i", "can't", "find", "<order>", "!", "😡"]


def test_full_width_letters_are_the_same_word() -> None:
    assert tokenize("ｒｅｆｕｎｄ") == ["refund"]


def test_word_weights_equal_those_of_scikit_learn() -> None:
    """scikit-learn is an independent implementation of the same definition."""
    ours = Vectoriser.fit(TEXTS, min_documents=1, max_characters=0)
    theirs = TfidfVectorizer(
        analyzer=lambda t: [*tokenize(t), *map(" ".join, zip(tokenize(t), tokenize(t)[1:]))], sublinear_tf=True
    )
    expected = theirs.fit_transform(TEXTS).toarray()
    assert list(theirs.get_feature_names_out()) == list(ours.words)
    for text, row in zip(TEXTS, expected, strict=True):
        terms = ours.terms(text)
        dense = np.zeros(ours.size)
        dense[terms.ids] = terms.weights
        np.testing.assert_allclose(dense, row, atol=1e-6)


def test_each_block_has_length_one() -> None:
    vectoriser = Vectoriser.fit(TEXTS, min_documents=1)
    terms = vectoriser.terms(TEXTS[0])
    words = terms.ids < len(vectoriser.words)
    assert np.linalg.norm(terms.weights[words]) == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(terms.weights[~words]) == pytest.approx(1, abs=1e-6)


def test_a_text_without_known_terms_is_empty() -> None:
    terms = Vectoriser.fit(TEXTS).terms("§§§")
    assert len(terms.ids) == len(terms.weights) == 0


def test_the_vocabulary_prefers_frequent_terms_and_then_the_alphabet() -> None:
    vectoriser = Vectoriser.fit(["b a", "b a", "b c"], min_documents=1, max_words=2)
    assert vectoriser.words == ("a", "b")


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_terms_are_ascending_finite_and_within_the_vocabulary_for_any_text(texts: list[str]) -> None:
    vectoriser = Vectoriser.fit(TEXTS, min_documents=1)
    for text in texts:
        terms = vectoriser.terms(text)
        assert (np.diff(terms.ids) > 0).all()
        assert np.isfinite(terms.weights).all()
        assert ((terms.ids >= 0) & (terms.ids < vectoriser.size)).all()


def test_clearing_the_cache_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectoriser = Vectoriser.fit(TEXTS, min_documents=1)
    before = [vectoriser.terms(text) for text in TEXTS]
    monkeypatch.setattr(module, "MAX_CACHED_WORDS", 1)
    fresh = Vectoriser(vectoriser.words, vectoriser.characters, vectoriser.idf)
    for text, expected in zip(TEXTS, before, strict=True):
        terms = fresh.terms(text)
        assert (terms.ids == expected.ids).all()
        assert (terms.weights == expected.weights).all()
