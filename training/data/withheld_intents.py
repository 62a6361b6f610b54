"""Intents withheld from training, to measure how well a bundle detects out-of-scope messages close to its intents."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from frontdesk.errors import DataError
from training.data.examples import Example, list_intents

MIN_INTENTS = 2


def withhold_from_training(examples: Sequence[Example], names: Collection[str]) -> tuple[Example, ...]:
    """Turn the rows of these intents into out-of-scope test rows with `near` set.

    Rows of these intents that the data's own split assigns to training or calibration are removed.

    Raises:
        DataError: an intent does not exist, or fewer than `MIN_INTENTS` would be left.
    """
    intents = list_intents(examples, ())
    for name in names:
        if name not in intents:
            suggestions = difflib.get_close_matches(name, intents, n=3) or sorted(intents)[:3]
            message = f"No row has the intent '{name}', so it cannot be withheld."
            raise DataError(message, hint=f"Did you mean {' or '.join(suggestions)}?" if suggestions else "")
    if len(intents) - len(set(names)) < MIN_INTENTS:
        raise DataError(f"Of {len(intents)} intents, at least {MIN_INTENTS} must be left to learn.")
    return tuple(
        replace(row, intent=None, out_of_scope=True, part="test", near=True) if row.intent in names else row
        for row in examples
        if row.intent not in names or row.part in (None, "test")
    )


def sample_intents(examples: Sequence[Example], share: float, seed: int) -> tuple[str, ...]:
    """Sample this share of the intents, at least one, by the seed; the result is in order of name."""
    intents = list_intents(examples, ())
    count = min(len(intents), max(1, round(share * len(intents))))
    return tuple(sorted(np.random.default_rng(seed).permutation(intents)[:count].tolist()))
