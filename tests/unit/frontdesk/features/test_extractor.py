from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from frontdesk.features.extractor import FeatureExtractor
from frontdesk.features.statistics import STATISTICS
from frontdesk.features.tfidf import Vectoriser

TEXTS = ["where is my parcel", "cancel my order", "where is my order", "cancel the parcel please"]


@pytest.fixture
def features() -> FeatureExtractor:
    vectoriser = Vectoriser.fit(TEXTS, min_documents=1)
    projection = np.random.default_rng(0).normal(size=(vectoriser.size, 7)).astype(np.float32)
    return FeatureExtractor(vectoriser, projection, masking_version="1")


def test_dense_columns_are_the_projection_then_the_statistics(features: FeatureExtractor) -> None:
    rows = features.extract(TEXTS)
    assert rows.dense.shape == (4, 7 + len(STATISTICS))
    assert features.names[:2] == ("projected_0", "projected_1")
    assert features.names[7:] == tuple(STATISTICS)
    terms = rows.terms[2]
    np.testing.assert_allclose(rows.dense[2, :7], terms.weights @ features.projection[terms.ids], rtol=1e-6)


def test_a_row_does_not_depend_on_its_neighbours(features: FeatureExtractor) -> None:
    together = features.extract(TEXTS).dense
    alone = np.concatenate([features.extract([text]).dense for text in TEXTS])
    assert (together == alone).all()


def test_loaded_features_have_the_same_fingerprint_and_rows(features: FeatureExtractor, tmp_path: Path) -> None:
    features.save(tmp_path)
    loaded = FeatureExtractor.load(tmp_path, masking_version="1")
    assert loaded.fingerprint() == features.fingerprint()
    assert (loaded.extract(TEXTS).dense == features.extract(TEXTS).dense).all()


def test_anything_that_changes_a_row_changes_the_fingerprint(features: FeatureExtractor) -> None:
    words = features.vectoriser
    swapped = Vectoriser((words.words[1], words.words[0], *words.words[2:]), words.characters, words.idf)
    others = [
        replace(features, masking_version="2"),
        replace(features, projection=features.projection + np.float32(1e-3)),
        replace(features, vectoriser=swapped),
        replace(features, vectoriser=Vectoriser(words.words, words.characters, words.idf * np.float32(2))),
    ]
    prints = {features.fingerprint(), *(other.fingerprint() for other in others)}
    assert len(prints) == 5
