"""Base models are reproducible to the last bit, because bundles are compared by their hashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from frontdesk.features.extractor import FeatureBatch
from tests.support import bundle_cache
from training.data.labels import EncodedLabels
from training.models.base_models import fit_base_model


def test_a_random_forest_gives_the_same_bits_each_time(tmp_path: Path) -> None:
    profile = bundle_cache.tiny_run(tmp_path).profile.model_copy(
        update={"random_forest": {"n_estimators": 100, "max_depth": 12}}
    )
    random = np.random.default_rng(0)
    labels = EncodedLabels(random.integers(0, 27, 400), random.integers(0, 3, 400))
    rows = FeatureBatch(terms=(), dense=random.normal(size=(400, 40)).astype(np.float32))
    forest = fit_base_model("random_forest", rows, labels, vocabulary=0, profile=profile).intent
    first = forest.predict_proba(rows.dense)
    assert all(np.array_equal(forest.predict_proba(rows.dense), first) for _ in range(20))
