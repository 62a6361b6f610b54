from __future__ import annotations

import numpy as np
import pytest

from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats
from training.models.feature_fitting import fit_features
from training.models.static_embedding import static_word_projection
from training.profiles.profile import FeatureSection

WORDS = ("refund", "reimbursement", "parcel", "package", "hello")


@pytest.fixture(scope="module")
def projection() -> Floats:
    return static_word_projection(WORDS, terms=9, components=4)


def test_words_that_mean_the_same_lie_near_each_other(projection: Floats) -> None:
    def distance(first: str, second: str) -> float:
        return float(np.linalg.norm(projection[WORDS.index(first)] - projection[WORDS.index(second)]))

    assert distance("refund", "reimbursement") < distance("refund", "parcel")
    assert distance("parcel", "package") < distance("package", "reimbursement")


def test_terms_that_are_no_words_have_no_vector(projection: Floats) -> None:
    assert projection.shape == (9, 4)
    assert (projection[5:] == 0).all()


def test_fewer_words_than_components_leave_the_rest_empty() -> None:
    assert (static_word_projection(("refund", "parcel"), terms=2, components=6)[:, 2:] == 0).all()


def test_the_columns_stand_between_the_singular_vectors_and_the_statistics() -> None:
    texts = ["refund my parcel", "where is my parcel", "a refund please", "where is the package", "please help me"] * 3
    settings = FeatureSection(min_documents=2, max_words=50, max_characters=50, svd_components=3, static_components=2)
    fitted = fit_features(texts, settings, seed=1)
    assert fitted.extract(texts).dense.shape == (15, 3 + 2 + len(STATISTICS))
    assert fitted.extract(["parcel"]).dense[0, 3:5].any()
