from __future__ import annotations

import numpy as np

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from tests.support.int8 import needs_exact_int8
from training.data.examples import Example
from training.evaluation.batch_scoring import predict_all, score_all


@needs_exact_int8
def test_predictions_in_batches_equal_those_of_one_batch(
    encoder_bundle: Bundle, starter_examples: tuple[Example, ...]
) -> None:
    ensemble = Ensemble.load(encoder_bundle)
    texts = [row.text for row in starter_examples[:150]]
    together, in_batches = ensemble.predict(texts), predict_all(ensemble, texts)
    np.testing.assert_allclose(in_batches.intent, together.intent, atol=1e-6)
    np.testing.assert_allclose(in_batches.sentiment, together.sentiment, atol=1e-6)
    for one, other in zip(together.members, in_batches.members, strict=True):
        np.testing.assert_allclose(one.intent, other.intent, atol=1e-6)
        assert (one.sampled is None) == (other.sampled is None)
    assert in_batches.members[-1].sampled is not None
    assert in_batches.members[-1].sampled.mean.shape == in_batches.intent.shape
    assert predict_all(ensemble, texts, sampling=False).members[-1].sampled is None


def test_scores_in_batches_equal_those_of_one_batch(
    encoder_bundle: Bundle, starter_examples: tuple[Example, ...]
) -> None:
    ensemble = Ensemble.load(encoder_bundle)
    texts = [row.text for row in starter_examples[:100]]
    scores = score_all(ensemble.members, ensemble.features, texts)
    expected = np.stack([member.intent for member in ensemble.predict(texts).members])
    np.testing.assert_allclose(scores.intent, expected, atol=1e-6)
