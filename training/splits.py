"""Train, calibration and test rows, and folds within train: by group, balanced over intents, reproducible.

Knows nothing of models. A group is one unit: all its rows fall on the same side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.errors import DataError
from training.data import Example
from training.profile import Split

Rows = NDArray[np.intp]
FEWEST_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Splits:
    """Row numbers of each part, ascending."""

    train: Rows
    calibration: Rows
    test: Rows


def split(examples: Sequence[Example], shares: Split, seed: int) -> Splits:
    """Deal the groups of each intent (and of the out-of-scope rows) to the parts by their shares.

    Raises:
        DataError: naming the intents that have too few groups to be in every part.
    """
    generator = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {"train": [], "calibration": [], "test": []}
    for groups in _groups_by_class(examples).values():
        order = generator.permutation(len(groups))
        n_test = max(1, round(len(groups) * shares.test))
        n_calibration = max(1, round(len(groups) * shares.calibration))
        for place, index in enumerate(order):
            part = "test" if place < n_test else "calibration" if place < n_test + n_calibration else "train"
            parts[part].extend(groups[index])
    return Splits(**{name: np.array(sorted(rows), dtype=np.intp) for name, rows in parts.items()})


def folds(examples: Sequence[Example], count: int, seed: int) -> Rows:
    """A fold number for each example, 0 to count - 1, groups together and classes balanced."""
    generator = np.random.default_rng(seed + 1)
    assigned = np.zeros(len(examples), dtype=np.intp)
    for groups in _groups_by_class(examples).values():
        order = generator.permutation(len(groups))
        for place, index in enumerate(order):
            assigned[groups[index]] = place % count
    return assigned


def _groups_by_class(examples: Sequence[Example]) -> dict[str, list[list[int]]]:
    """class -> its groups, each a list of row numbers; a group belongs to the class of its first row."""
    class_of_group: dict[str, str] = {}
    members: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(examples):
        label = "out of scope" if example.out_of_scope else f"intent {example.intent}"
        class_of_group.setdefault(example.group, label)
        members[example.group].append(row)
    groups: dict[str, list[list[int]]] = defaultdict(list)
    for group, rows in members.items():
        groups[class_of_group[group]].append(rows)
    if small := sorted(label for label, found in groups.items() if len(found) < FEWEST_GROUPS):
        raise DataError(
            f"Too few different messages for {', '.join(small)}.",
            hint=f"Each intent needs at least {FEWEST_GROUPS} to be trained, calibrated and tested.",
        )
    return groups
