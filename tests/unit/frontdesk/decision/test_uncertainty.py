"""Uncertainty of an ensemble: known cases, bounds and the split."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.uncertainty import dropout_uncertainty, ensemble_uncertainty, entropy


def test_members_that_agree_and_are_sure_have_no_uncertainty() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty([[[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]])

    assert (total[0], epistemic[0], aleatoric[0]) == (0.0, 0.0, 0.0)


def test_members_that_are_sure_of_different_labels_have_only_epistemic_uncertainty() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty([[[1.0, 0.0]], [[0.0, 1.0]]])

    assert (total[0], epistemic[0], aleatoric[0]) == pytest.approx((1.0, 1.0, 0.0))


def test_members_with_uniform_distributions_have_only_aleatoric_uncertainty() -> None:
    total, epistemic, aleatoric = ensemble_uncertainty(np.full((3, 1, 4), 0.25))

    assert (total[0], epistemic[0], aleatoric[0]) == pytest.approx((1.0, 0.0, 1.0))


def test_a_worked_example_equals_the_manual_result() -> None:
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


def test_a_single_class_has_no_uncertainty() -> None:
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
def test_a_single_member_has_no_epistemic_uncertainty(classes: int, seed: int) -> None:
    alone = np.random.default_rng(seed).dirichlet(np.ones(classes), size=(1, 4))

    _, epistemic, _ = ensemble_uncertainty(alone)

    np.testing.assert_allclose(epistemic, 0.0, atol=1e-12)


@given(
    members=st.integers(1, 3),
    samples=st.integers(1, 16),
    classes=st.integers(1, 30),
    sharpness=st.floats(0.01, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_two_statistics_of_the_samples_give_the_same_result_as_all_samples(
    members: int, samples: int, classes: int, sharpness: float, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(scale=sharpness, size=(members, samples, 4, classes))
    unscaled = np.exp(logits - logits.max(axis=-1, keepdims=True))
    sampled = unscaled / unscaled.sum(axis=-1, keepdims=True)

    pooled = ensemble_uncertainty(sampled.reshape(members * samples, 4, classes))
    from_statistics = dropout_uncertainty(sampled.mean(axis=1), entropy(sampled).mean(axis=1))

    np.testing.assert_allclose(from_statistics, pooled, rtol=0, atol=1e-12)


def test_statistics_in_single_precision_stay_within_the_bounds() -> None:
    sure, evenly = np.array([[[1.0, 0.0]]], np.float32), np.array([[[0.5, 0.5]]], np.float32)

    assert [float(part[0]) for part in dropout_uncertainty(sure, entropy(sure))] == [0.0, 0.0, 0.0]
    total, epistemic, aleatoric = dropout_uncertainty(evenly, entropy(evenly) + np.float32(1e-6))
    assert (total[0], epistemic[0], aleatoric[0]) == (1.0, 0.0, 1.0)


def test_entropy_keeps_the_precision_of_its_input() -> None:
    assert entropy(np.full((2, 3, 4), 0.25, np.float32)).dtype == np.float32
    np.testing.assert_allclose(entropy(np.full((2, 3, 4), 0.25)), np.full((2, 3), math.log(4)))
