"""Train, stacking, calibration and test rows, and folds: by group, stratified by intent, reproducible.

The data's own split is respected: its test rows are test rows, its validation rows are divided between stacking and
calibration, and its training rows never become test rows. All other rows are assigned by the shares of the profile.
All rows of a group are in the same part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from frontdesk.errors import DataError
from training.data.examples import Example
from training.profiles.profile import SplitSection

Rows = NDArray[np.intp]
Group = list[int]
MIN_GROUPS = 5
MIN_INTENTS = 2
NO_INTENT = "out of scope"
_SENTIMENT_ONLY = f"intent {None}"
"""The class of rows without an intent."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Row numbers of each part, ascending.

    Base models are trained on `train`. The meta-learner is trained on their predictions for `stacking`, or on
    out-of-fold predictions for `train` if `stacking` is empty. Calibrators and thresholds are fitted on `calibration`;
    all of them are evaluated on `test`.
    """

    train: Rows
    stacking: Rows
    calibration: Rows
    test: Rows


def split(examples: Sequence[Example], shares: SplitSection, seed: int) -> Splits:
    """Assign the groups of each intent, and of the out-of-scope rows, to the parts of the split.

    Raises:
        DataError: intents have too few groups, or no training rows; the message names them.
    """
    generator = np.random.default_rng(seed)
    trainable = sum(example.part != "test" for example in examples)
    stacking_share, calibration_share = (
        min(share / (1 - shares.test), shares.most_held_out / trainable)
        for share in (shares.stacking, shares.calibration)
    )
    parts: dict[str, list[Group]] = {"train": [], "stacking": [], "calibration": [], "test": []}
    classes = _groups_by_class(examples)
    _check_labels(examples)
    for label, groups in classes.items():
        by_part: Mapping[str | None, list[Group]] = _groups_by_split_part(examples, groups, generator)
        test, unassigned = by_part["test"], by_part[None]
        if all(examples[group[0]].near for group in test):  # only withheld rows: the data itself has no test rows
            added, unassigned = _take_share(unassigned, shares.test)
            test = test + added
        held_out, rest = by_part["calibration"], by_part["train"] + unassigned
        if held_out:
            stacking, calibration = _take_share(held_out, stacking_share / (stacking_share + calibration_share))
        else:
            calibration, rest = _take_share(rest, calibration_share)
            stacking, rest = _take_share(rest, stacking_share / (1 - calibration_share))
        # Base models are not trained on out-of-scope rows, so no such rows are needed in train.
        if label == NO_INTENT and stacking_share:
            stacking, calibration = _take_share(stacking + rest + calibration, 0.5)
            rest = []
        for part, part_groups in zip(parts, (rest, stacking, calibration, test), strict=True):
            parts[part].extend(part_groups)
    return Splits(**{part: np.array(sorted(chain(*part_groups)), dtype=np.intp) for part, part_groups in parts.items()})


def assign_folds(examples: Sequence[Example], count: int, seed: int) -> Rows:
    """Fold numbers of the examples, 0 to count - 1: one fold for each group, stratified by class."""
    generator = np.random.default_rng(seed + 1)
    assigned = np.zeros(len(examples), dtype=np.intp)
    for groups in _groups_by_class(examples).values():
        order = generator.permutation(len(groups))
        for position, index in enumerate(order):
            assigned[groups[index]] = position % count
    return assigned


def _check_labels(examples: Sequence[Example]) -> None:
    """Raise `DataError` for too few intents, labels in too few groups, and intents without training rows.

    Rows without an intent are used for sentiment only, so there may be few of them.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    trainable: set[str] = set()
    for example in examples:
        if (label := _class_of(example)) != _SENTIMENT_ONLY:
            groups[label].add(example.group)
            if example.part in ("train", None):
                trainable.add(label)
    if len(groups.keys() - {NO_INTENT}) < MIN_INTENTS:
        raise DataError("The messages are all of one intent.", hint="Training needs at least two intents.")
    if small := sorted(label for label in trainable if len(groups[label]) < MIN_GROUPS):
        raise DataError(
            f"Too few different messages for {', '.join(small)}.",
            hint=f"Each intent needs at least {MIN_GROUPS} to be trained, calibrated and tested.",
        )
    if untrained := sorted(groups.keys() - trainable - {NO_INTENT}):
        raise DataError(
            f"The data's own split has no training message for {', '.join(untrained)}.",
            hint="Move some of its rows to the training part, or leave the intent out: --withhold NAME",
        )


def _class_of(example: Example) -> str:
    return NO_INTENT if example.out_of_scope else f"intent {example.intent}"


def _take_share(groups: list[Group], share: float) -> tuple[list[Group], list[Group]]:
    """Split the groups into a share, at least one group if the share is above 0, and the rest."""
    size = max(1, round(len(groups) * share)) if share else 0
    return groups[:size], groups[size:]


def _groups_by_split_part(
    examples: Sequence[Example], groups: Sequence[Group], generator: np.random.Generator
) -> Mapping[str | None, list[Group]]:
    """The groups by part of the data's own split, in random order; the first row decides the part of its group."""
    parts: dict[str | None, list[Group]] = defaultdict(list)
    for index in generator.permutation(len(groups)):
        parts[examples[groups[index][0]].part].append(groups[index])
    return parts


def _groups_by_class(examples: Sequence[Example]) -> dict[str, list[Group]]:
    """The groups of each class, each group a list of row numbers.

    A group with several labels, as of a message with several intents, belongs to the one that occurs in the fewest
    groups, so that rare labels are in all parts of the split too.
    """
    labels_by_group: dict[str, dict[str, None]] = defaultdict(dict)
    rows_by_group: dict[str, Group] = defaultdict(list)
    for row, example in enumerate(examples):
        labels_by_group[example.group][_class_of(example)] = None
        rows_by_group[example.group].append(row)
    group_counts = Counter(chain.from_iterable(labels_by_group.values()))
    groups: dict[str, list[Group]] = defaultdict(list)
    for group, rows in rows_by_group.items():
        groups[min(labels_by_group[group], key=lambda label: group_counts[label])].append(rows)
    return groups
