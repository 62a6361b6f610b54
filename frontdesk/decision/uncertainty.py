"""How unsure an ensemble is, and how much of that is disagreement between its members.

Knows nothing of intents, thresholds or models: probabilities in, figures between 0 and 1 out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatRows = NDArray[np.float64]


def ensemble_uncertainty(member_probabilities: ArrayLike) -> tuple[FloatRows, FloatRows, FloatRows]:
    """Split the predictive entropy of an ensemble into disagreement and noise.

    The total is the entropy of the members' mean distribution (Lakshminarayanan et al., 2017). The aleatoric part is
    the mean of the members' entropies, the epistemic part the rest: the mutual information between the label and the
    member (Depeweg et al., 2018).

    Args:
        member_probabilities: (members, texts, classes), each row summing to 1.

    Returns:
        (total, epistemic, aleatoric), each (texts,), divided by log(classes), between 0 and 1; the last two add up to
        the first. A single class leaves nothing to be unsure of: all are 0.
    """
    probabilities = np.asarray(member_probabilities, dtype=np.float64)
    _, texts, classes = probabilities.shape
    if classes == 1:
        return np.zeros(texts), np.zeros(texts), np.zeros(texts)
    of_mean = _entropy(probabilities.mean(axis=0)) / math.log(classes)
    of_members = _entropy(probabilities).mean(axis=0) / math.log(classes)
    # In exact arithmetic 0 <= aleatoric <= total <= 1 (entropy is concave); rounding alone can leave those bounds.
    aleatoric = np.clip(of_members, 0.0, 1.0)
    epistemic = np.clip(np.clip(of_mean, 0.0, 1.0) - aleatoric, 0.0, 1.0)
    return epistemic + aleatoric, epistemic, aleatoric


def _entropy(probabilities: FloatRows) -> FloatRows:
    """In nats, over the last axis; a probability of 0 contributes nothing."""
    logarithms = np.log(np.where(probabilities > 0.0, probabilities, 1.0))
    entropy: FloatRows = -(probabilities * logarithms).sum(axis=-1)
    return entropy
