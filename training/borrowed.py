"""Sentiment for data that has none: rows of the starter corpus, without their intents.

Public intent sets and most exports of a help desk carry no sentiment, and an answer without it would be half an
answer. What is borrowed is told in the manifest: sentiment does not transfer well between domains.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from frontdesk.taxonomy import SENTIMENTS
from training.data import STARTER_CORPUS, Example, Part, read_examples

GROUP = "starter/"
_DEALT: tuple[Part, ...] = ("train", "train", "train", "calibration", "test")  # of every five rows


def borrowed_sentiment(rows: int, seed: int) -> tuple[Example, ...]:
    """At most `rows` messages of the starter corpus, as many of each sentiment, each with its part of the split."""
    generator = np.random.default_rng(seed)
    by_sentiment: dict[str, list[Example]] = defaultdict(list)
    for example in read_examples(STARTER_CORPUS):
        if example.sentiment is not None:
            by_sentiment[example.sentiment].append(example)
    taken: list[Example] = []
    for sentiment in SENTIMENTS:
        found = by_sentiment[sentiment]
        chosen = generator.permutation(len(found))[: rows // len(SENTIMENTS)]
        taken += [_as_sentiment(found[row], place) for place, row in enumerate(chosen)]
    return tuple(taken)


def is_borrowed(example: Example) -> bool:
    return example.group.startswith(GROUP)


def _as_sentiment(example: Example, place: int) -> Example:
    part = _DEALT[place % len(_DEALT)]
    return replace(example, intent=None, out_of_scope=False, group=f"{GROUP}{example.group}", part=part)
