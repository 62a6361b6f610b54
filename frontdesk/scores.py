"""Output of a base model for a batch of texts: one probability for each label, for intent and sentiment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DropoutStatistics:
    """Statistics of the intent distributions that were sampled under dropout masks, for the uncertainty. float32.

    `mean` is (texts, intents), the mean of the sampled distributions, rows sum to 1. `entropy` is (texts,), the mean
    of their entropies in nats.
    """

    mean: Floats
    entropy: Floats


@dataclass(frozen=True, slots=True)
class Scores:
    """`intent` is (texts, intents), `sentiment` (texts, 3); float32, rows sum to 1, columns in label order.

    `sampled`: None where the base model has no dropout, or sampling was not requested.
    """

    intent: Floats
    sentiment: Floats
    sampled: DropoutStatistics | None = None
