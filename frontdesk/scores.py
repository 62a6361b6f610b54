"""What a base model says about a batch of texts: one probability per label, for both tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DropoutStatistics:
    """What the intent head says under dropout masks, as the two statistics that uncertainty needs of the samples.

    `mean` is (texts, intents), the mean of their distributions, rows sum to 1; `entropy` is (texts,), the mean of their
    entropies in nats. float32.
    """

    mean: Floats
    entropy: Floats


@dataclass(frozen=True, slots=True)
class Scores:
    """`intent` is (texts, intents), `sentiment` (texts, 3); float32, rows sum to 1, columns in label order.

    `sampled` is None where the member has no dropout, or was not asked to sample.
    """

    intent: Floats
    sentiment: Floats
    sampled: DropoutStatistics | None = None
