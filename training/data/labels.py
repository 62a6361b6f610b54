"""Labels of rows as column numbers of probability matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.examples import Example

MISSING = -1
"""The column number of a row without a label."""

Targets = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class EncodedLabels:
    """Column numbers per task, each (rows,); `MISSING` for rows without a label."""

    intent: Targets
    sentiment: Targets


def encode_labels(rows: Sequence[Example], intents: Sequence[str], sentiments: Sequence[str]) -> EncodedLabels:
    """Convert the labels of the rows to columns of `intents` and `sentiments`; an unknown label becomes `MISSING`."""
    intent_columns = {label: column for column, label in enumerate(intents)}
    sentiment_columns = {label: column for column, label in enumerate(sentiments)}
    return EncodedLabels(
        np.array([intent_columns.get(row.intent or "", MISSING) for row in rows], dtype=np.intp),
        np.array([sentiment_columns.get(row.sentiment or "", MISSING) for row in rows], dtype=np.intp),
    )
