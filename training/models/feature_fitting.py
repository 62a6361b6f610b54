"""Fitting of a bundle's feature definition on training texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD

from frontdesk.features.extractor import FeatureExtractor
from frontdesk.features.tfidf import Vectoriser
from frontdesk.masking import MASKING_VERSION
from training.data.term_matrix import sparse_matrix
from training.profiles.profile import FeatureSection


def fit_features(texts: Sequence[str], settings: FeatureSection, seed: int) -> FeatureExtractor:
    """Fit vocabulary and projection on training texts; if configured, add static word vectors from MiniLM."""
    vectoriser = Vectoriser.fit(
        texts,
        min_documents=settings.min_documents,
        max_words=settings.max_words,
        max_characters=settings.max_characters,
    )
    matrix = sparse_matrix(tuple(vectoriser.terms(text) for text in texts), vectoriser.size)
    components = min(settings.svd_components, min(matrix.shape) - 1)
    projection = TruncatedSVD(components, n_iter=4, random_state=seed).fit(matrix).components_.T
    if settings.static_components:
        from training.models.static_embedding import (
            static_word_projection,  # needs torch, which the CPU profile does not
        )

        static = static_word_projection(vectoriser.words, vectoriser.size, settings.static_components)
        projection = np.concatenate([projection, static], axis=1)
    return FeatureExtractor(vectoriser, np.ascontiguousarray(projection, dtype=np.float32), MASKING_VERSION)
