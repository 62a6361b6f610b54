"""Prediction for many rows in small batches.

At 150 intents, logistic regression would need gigabytes of memory for a batch of thousands of texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from frontdesk.features.extractor import FeatureExtractor
from frontdesk.scores import DropoutStatistics, Scores
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from runners.models.base_model import Member, ModelBatch
from training.models.base_model_scores import BaseModelScores

BATCH_TEXTS = 64


def predict_all(ensemble: Ensemble, texts: Sequence[str], *, sampling: bool = True) -> EnsemblePrediction:
    """Predict all texts, with the same result as `Ensemble.predict`."""
    parts = [ensemble.predict(part, sampling=sampling) for part in _batches(texts)]
    return EnsemblePrediction(
        tuple(_concatenate(member) for member in zip(*(part.members for part in parts), strict=True)),
        np.concatenate([part.intent for part in parts]),
        np.concatenate([part.sentiment for part in parts]),
    )


def score_all(members: Sequence[Member], features: FeatureExtractor, texts: Sequence[str]) -> BaseModelScores:
    """Scores of each base model for all texts."""
    parts = []
    for part in _batches(texts):
        batch = ModelBatch(part, features.extract(part))
        parts.append(BaseModelScores.of([member.scores(batch) for member in members], batch.rows))
    return BaseModelScores.merge(parts, np.arange(len(texts)))


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BATCH_TEXTS):
        yield texts[start : start + BATCH_TEXTS]


def _concatenate(parts: Sequence[Scores]) -> Scores:
    sampled = [part.sampled for part in parts if part.sampled is not None]
    return Scores(
        np.concatenate([part.intent for part in parts]),
        np.concatenate([part.sentiment for part in parts]),
        DropoutStatistics(
            np.concatenate([statistics.mean for statistics in sampled]),
            np.concatenate([statistics.entropy for statistics in sampled]),
        )
        if sampled
        else None,
    )
