from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.models.meta_learner import build_candidate_rows, candidate_column_names

MEMBERS = ("a", "b")
STATISTICS = ("length",)


def distributions(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)[:, None, :]


def column(candidates: object, name: str) -> np.ndarray:
    return candidates.rows[:, candidate_column_names(MEMBERS, STATISTICS).index(name)]


def test_candidates_are_the_union_of_each_members_best() -> None:
    members = distributions([0.7, 0.2, 0.1, 0.0], [0.1, 0.1, 0.2, 0.6])
    candidates = build_candidate_rows(members, np.array([[5.0]], dtype=np.float32), top=1)
    assert candidates.label.tolist() == [0, 3]
    assert candidates.text.tolist() == [0, 0]


def test_a_row_has_the_scores_of_each_member_for_its_candidate() -> None:
    members = distributions([0.7, 0.2, 0.1, 0.0], [0.1, 0.1, 0.2, 0.6])
    candidates = build_candidate_rows(members, np.array([[5.0]], dtype=np.float32), top=1)
    assert column(candidates, "a_probability").tolist() == pytest.approx([0.7, 0.0])
    assert column(candidates, "b_rank").tolist() == [2, 0]
    assert column(candidates, "a_margin").tolist() == pytest.approx([0.5, -0.7])
    assert column(candidates, "votes").tolist() == [1, 1]
    assert column(candidates, "mean_probability").tolist() == pytest.approx([0.4, 0.3])
    assert column(candidates, "mean_margin").tolist() == pytest.approx([0.1, -0.1])
    assert column(candidates, "length").tolist() == [5, 5]


def test_members_that_agree_have_no_disagreement() -> None:
    members = distributions([0.6, 0.4], [0.6, 0.4])
    candidates = build_candidate_rows(members, np.zeros((1, 1), dtype=np.float32), top=2)
    assert column(candidates, "disagreement").tolist() == pytest.approx([0, 0], abs=1e-6)


def test_there_is_a_name_for_every_column() -> None:
    members = distributions([0.6, 0.4], [0.5, 0.5])
    candidates = build_candidate_rows(members, np.zeros((1, 1), dtype=np.float32), top=2)
    assert candidates.rows.shape[1] == len(candidate_column_names(MEMBERS, STATISTICS))


@given(st.integers(1, 6), st.integers(2, 9), st.integers(1, 4), st.integers(0, 10_000))
def test_a_texts_rows_do_not_depend_on_the_batch(texts: int, labels: int, top: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    members = generator.dirichlet(np.ones(labels), size=(2, texts)).astype(np.float32)
    statistics = generator.normal(size=(texts, 1)).astype(np.float32)
    together = build_candidate_rows(members, statistics, top)
    for text in range(texts):
        alone = build_candidate_rows(members[:, text : text + 1], statistics[text : text + 1], top)
        np.testing.assert_allclose(together.rows[together.text == text], alone.rows, atol=1e-6)
        assert (together.label[together.text == text] == alone.label).all()
