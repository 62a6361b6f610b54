"""Auxiliary sentiment rows for data without sentiment: rows of the starter corpus, without their intents.

Public intent data sets and most help desk exports have no sentiment, or not all three labels. The manifest records the
number of auxiliary rows, because sentiment does not transfer well between domains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from frontdesk.taxonomy import SENTIMENTS
from training.data.examples import STARTER_CORPUS, Example, read_examples
from training.data.row_parser import SplitPart

GROUP_PREFIX = "starter/"
MIN_ROWS = 20
_PARTS: tuple[SplitPart, ...] = ("train", "train", "train", "calibration", "test")  # of every five rows


def select_sentiment_rows(examples: Sequence[Example], rows: int, seed: int) -> tuple[Example, ...]:
    """Select rows of the starter corpus for each sentiment that has fewer than `MIN_ROWS` rows in `examples`.

    At most a third of `rows` for each sentiment, sampled by `seed`. Each returned row has its part of the split set.
    """
    counts = Counter(example.sentiment for example in examples)
    missing = [sentiment for sentiment in SENTIMENTS if counts[sentiment] < MIN_ROWS]
    if not missing:
        return ()
    generator = np.random.default_rng(seed)
    selected: list[Example] = []
    starter = read_examples(STARTER_CORPUS)
    for sentiment in missing:
        candidates = [example for example in starter if example.sentiment == sentiment]
        order = generator.permutation(len(candidates))[: rows // len(SENTIMENTS)]
        selected += [_to_auxiliary_sentiment_row(candidates[row], index) for index, row in enumerate(order)]
    return tuple(selected)


def is_auxiliary_sentiment_row(example: Example) -> bool:
    return example.group.startswith(GROUP_PREFIX)


def _to_auxiliary_sentiment_row(example: Example, index: int) -> Example:
    part = _PARTS[index % len(_PARTS)]
    return replace(example, intent=None, out_of_scope=False, group=f"{GROUP_PREFIX}{example.group}", part=part)
