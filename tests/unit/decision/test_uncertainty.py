"""Uncertainty of an ensemble: known cases, bounds and the split."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.uncertainty import ensemble_uncertainty


def test_members_that_agree_and_are_sure_leave_no_uncertainty() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty([[[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]])

    assert (total[0], epistemic[0], aleatoric[0]) == (0.0, 0.0, 0.0)


def test_members_that_are_sure_of_different_labels_disagree_and_nothing_else() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty([[[1.0, 0.0]], [[0.0, 1.0]]])

    assert (total[0], epistemic[0], aleatoric[0]) == pytest.approx((1.0, 1.0, 0.0))


def test_members_that_all_shrug_agree_that_it_is_noise() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty(np.full((3, 1, 4), 0.25))

    assert (total[0], epistemic[0], aleatoric[0]) == pytest.approx((1.0, 0.0, 1.0))


def test_a_worked_example_comes_out_as_by_hand() -> None:
    def entropy(p: float) -> float:
        return -(p * math.log(p) + (1 - p) * math.log(1 - p)) / math.log(2)

    total, epistemic, aleatoric = ensemble_uncertainty([[[0.9, 0.1]], [[0.3, 0.7]]])

    assert total[0] == pytest.approx(entropy(0.6))
    assert aleatoric[0] == pytest.approx((entropy(0.9) + entropy(0.3)) / 2)
    assert epistemic[0] == pytest.approx(entropy(0.6) - (entropy(0.9) + entropy(0.3)) / 2)


def test_texts_do_not_influence_each_other() -> None:
    sure, torn = [[1.0, 0.0], [1.0, 0.0]], [[0.8, 0.2], [0.1, 0.9]]
    both = np.stack([sure, torn], axis=1)

    together = np.stack(ensemble_uncertainty(both))
    apart = np.concatenate([ensemble_uncertainty(both[:, [text]]) for text in range(2)], axis=1)

    np.testing.assert_array_equal(together, apart)


def test_a_single_class_leaves_nothing_to_be_unsure_of() -> None:
    np.testing.assert_array_equal(ensemble_uncertainty(np.ones((3, 2, 1))), np.zeros((3, 2)))


@given(
    members=st.integers(1, 6),
    classes=st.integers(1, 30),
    sharpness=st.floats(0.01, 60),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_parts_lie_between_zero_and_one_and_add_up(
    members: int, classes: int, sharpness: float, dtype: type, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(scale=sharpness, size=(members, 5, classes))
    unscaled = np.exp(logits - logits.max(axis=-1, keepdims=True))

    total, epistemic, aleatoric = ensemble_uncertainty((unscaled / unscaled.sum(axis=-1, keepdims=True)).astype(dtype))

    np.testing.assert_array_equal(epistemic + aleatoric, total)
    for part in (total, epistemic, aleatoric):
        assert part.shape == (5,)
        assert ((part >= 0.0) & (part <= 1.0)).all()


@given(classes=st.integers(2, 30), seed=st.integers(0, 2**32 - 1))
def test_one_member_cannot_disagree_with_itself(classes: int, seed: int) -> None:
    alone = np.random.default_rng(seed).dirichlet(np.ones(classes), size=(1, 4))

    _, epistemic, _ = ensemble_uncertainty(alone)

    np.testing.assert_allclose(epistemic, 0.0, atol=1e-12)
