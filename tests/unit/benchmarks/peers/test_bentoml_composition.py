"""Scores sent between services as rows of one array."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.bentoml_composition import to_rows, to_scores
from frontdesk.scores import DropoutStatistics, Scores

TEXTS, INTENTS = 4, 5


def some(seed: int, *, sampled: bool) -> Scores:
    draw = np.random.default_rng(seed)
    intent, sentiment = draw.random((TEXTS, INTENTS), np.float32), draw.random((TEXTS, 3), np.float32)
    return Scores(intent, sentiment, DropoutStatistics(intent / 2, draw.random(TEXTS, np.float32)) if sampled else None)


def test_scores_of_base_models_survive_a_round_trip() -> None:
    sent = {
        "xgboost": some(1, sampled=False),
        "roberta": some(2, sampled=True),
        "random_forest": some(3, sampled=False),
    }

    received = dict(zip(sent, to_scores(to_rows(list(sent.values())), list(sent), INTENTS), strict=True))

    for name, scores in sent.items():
        assert np.array_equal(received[name].intent, scores.intent)
        assert np.array_equal(received[name].sentiment, scores.sentiment)
    assert sent["roberta"].sampled is not None
    assert received["roberta"].sampled is not None
    assert np.array_equal(received["roberta"].sampled.mean, sent["roberta"].sampled.mean)
    assert np.array_equal(received["roberta"].sampled.entropy, sent["roberta"].sampled.entropy)
    assert received["xgboost"].sampled is None


def test_a_row_of_a_batch_equals_that_of_the_text_alone() -> None:
    scores = some(4, sampled=True)
    (alone,) = to_scores(to_rows([scores])[2:3], ["distilbert"], INTENTS)

    assert np.array_equal(alone.intent[0], scores.intent[2])
    assert alone.sampled is not None
    assert alone.sampled.entropy[0] == scores.sampled.entropy[2]
