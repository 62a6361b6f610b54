"""Uncertainty of an ensemble, and its part from disagreement between base models or between dropout samples.

Functions from probabilities to values between 0 and 1.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatRows = NDArray[np.float64]
Real = TypeVar("Real", np.float32, np.float64)


def ensemble_uncertainty(member_probabilities: ArrayLike) -> tuple[FloatRows, FloatRows, FloatRows]:
    """Split the predictive entropy of an ensemble into disagreement (epistemic) and noise (aleatoric).

    The total is the entropy of the members' mean distribution (Lakshminarayanan et al., 2017). The aleatoric part is
    the mean of the members' entropies. The epistemic part is the rest: the mutual information between the label and
    the member (Depeweg et al., 2018).

    Args:
        member_probabilities: (members, texts, classes), each row summing to 1.

    Returns:
        (total, epistemic, aleatoric), each (texts,), divided by log(classes), between 0 and 1. The last two add up to
        the first. With a single class all are 0.
    """
    probabilities = np.asarray(member_probabilities, dtype=np.float64)
    return _split_uncertainty(probabilities.mean(axis=0), entropy(probabilities).mean(axis=0))


def dropout_uncertainty(means: ArrayLike, entropies: ArrayLike) -> tuple[FloatRows, FloatRows, FloatRows]:
    """The same split for members that are sampled under dropout, from two statistics of each member's samples.

    Dropout masks approximate draws from the posterior of the weights (Gal & Ghahramani, 2016). All samples of all
    members are pooled, so that the epistemic part is the mutual information between the label and the pair of member
    and mask (Depeweg et al., 2018). All members have the same number of samples, so the mean of means is the mean of
    all samples.

    Args:
        means: (members, texts, classes), the mean of each member's sampled distributions, rows sum to 1.
        entropies: (members, texts), the mean of their entropies, in nats.

    Returns:
        The same as `ensemble_uncertainty` of all samples.
    """
    return _split_uncertainty(
        np.asarray(means, dtype=np.float64).mean(axis=0), np.asarray(entropies, dtype=np.float64).mean(axis=0)
    )


def entropy(probabilities: NDArray[Real]) -> NDArray[Real]:
    """Entropy in nats over the last axis, in the precision of `probabilities`; a probability of 0 contributes 0."""
    logarithms = np.log(np.where(probabilities > 0.0, probabilities, 1.0))
    entropies: NDArray[Real] = -(probabilities * logarithms).sum(axis=-1)
    return entropies


def _split_uncertainty(mean: FloatRows, mean_entropy: FloatRows) -> tuple[FloatRows, FloatRows, FloatRows]:
    """Return total, epistemic, aleatoric from the mean distribution (texts, classes) and the mean entropy (texts,)."""
    texts, classes = mean.shape
    if classes == 1:
        return np.zeros(texts), np.zeros(texts), np.zeros(texts)
    # Exactly, 0 <= aleatoric <= total <= 1 (entropy is concave); only rounding can violate these bounds.
    aleatoric = np.clip(mean_entropy / math.log(classes), 0.0, 1.0)
    epistemic = np.clip(np.clip(entropy(mean) / math.log(classes), 0.0, 1.0) - aleatoric, 0.0, 1.0)
    return epistemic + aleatoric, epistemic, aleatoric
