"""What a base model says about a batch of texts: one probability per label, for both tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scores:
    """`intent` is (texts, intents), `sentiment` (texts, 3); float32, rows sum to 1, columns in label order."""

    intent: Floats
    sentiment: Floats
