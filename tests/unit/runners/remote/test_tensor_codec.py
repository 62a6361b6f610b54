from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from frontdesk.features.extractor import FeatureBatch
from frontdesk.features.tfidf import TfidfVector
from frontdesk.scores import DropoutStatistics, Scores
from runners.models.base_model import ModelBatch
from runners.remote.tensor_codec import (
    pack,
    rows_from_arrays,
    rows_to_arrays,
    scores_from_arrays,
    scores_to_arrays,
    texts_from_arrays,
    texts_to_arrays,
    unpack,
)

NO_ROWS = FeatureBatch((), np.empty((0, 0), np.float32))


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.sampled_from(["f8", "i8", "f4", "u1"]).flatmap(lambda of: arrays(of, array_shapes(min_dims=1, min_side=0))),
        max_size=4,
    )
)
def test_decoded_arrays_are_identical_and_aligned(named) -> None:
    back = unpack(pack(named))
    assert set(back) == set(named)
    for name, array in named.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert back[name].tobytes() == array.tobytes()
        assert back[name].flags.aligned


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5))
def test_decoded_texts_are_identical(texts: list[str]) -> None:
    assert list(texts_from_arrays(unpack(pack(texts_to_arrays(ModelBatch(texts, NO_ROWS))))).texts) == texts


@pytest.mark.parametrize("sampling", [True, False])
def test_the_sampling_flag_is_sent_with_the_texts(sampling: bool) -> None:
    assert texts_from_arrays(unpack(pack(texts_to_arrays(ModelBatch(["a"], NO_ROWS, sampling))))).sampling is sampling


def test_decoded_feature_rows_are_identical_for_each_text() -> None:
    terms = tuple(
        TfidfVector(np.arange(count, dtype=np.int64), np.linspace(0, 1, count, dtype=np.float32)) for count in (3, 0, 5)
    )
    dense = np.arange(6, dtype=np.float32).reshape(3, 2)
    rows = rows_from_arrays(unpack(pack(rows_to_arrays(ModelBatch(["a", "b", "c"], FeatureBatch(terms, dense)))))).rows
    np.testing.assert_array_equal(rows.dense, dense)
    for back, text in zip(rows.terms, terms, strict=True):
        np.testing.assert_array_equal(back.ids, text.ids)
        np.testing.assert_array_equal(back.weights, text.weights)


def test_scores_are_decoded_by_member_and_an_unknown_array_is_ignored() -> None:
    scores = Scores(np.eye(2, dtype=np.float32), np.ones((2, 3), np.float32))
    arrays = {**scores_to_arrays({"roberta": scores, "distilbert": scores}), "roberta.samples": np.zeros(4, np.float32)}
    back = scores_from_arrays(unpack(pack(arrays)), ["distilbert", "roberta"])
    assert list(back) == ["distilbert", "roberta"]
    np.testing.assert_array_equal(back["roberta"].intent, scores.intent)
    np.testing.assert_array_equal(back["roberta"].sentiment, scores.sentiment)


def test_statistics_of_dropout_samples_are_decoded_for_sampled_members() -> None:
    scores = Scores(np.eye(2, dtype=np.float32), np.ones((2, 3), np.float32))
    sampled = DropoutStatistics(np.full((2, 2), 0.5, np.float32), np.array([0.6, 0.7], np.float32))
    sent = {"xgboost": scores, "roberta": Scores(scores.intent, scores.sentiment, sampled)}
    back = scores_from_arrays(unpack(pack(scores_to_arrays(sent))), list(sent))
    assert back["xgboost"].sampled is None
    assert back["roberta"].sampled is not None
    np.testing.assert_array_equal(back["roberta"].sampled.mean, sampled.mean)
    np.testing.assert_array_equal(back["roberta"].sampled.entropy, sampled.entropy)


def test_an_array_of_objects_cannot_be_sent() -> None:
    with pytest.raises(KeyError):
        pack({"anything": np.array([{"a": 1}])})


@pytest.mark.parametrize("body", [b"", b"\0" * 8, pickle.dumps({"a": 1}), struct.pack("<Q", 2) + b"[]"])
def test_a_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError, struct.error)):
        unpack(body)


def test_a_header_that_points_outside_is_refused() -> None:
    body = pack({"a": np.zeros(2)}).replace(b"[0,16]", b"[0,99]")
    with pytest.raises(ValueError, match="buffer"):
        unpack(body)
