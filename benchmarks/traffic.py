"""The traffic that benchmarks send, written down: the starter corpus in a fixed random order, every text once.

Lengths are those of real messages: a quarter has 2 to 6 words, half is one sentence, a fifth two or three, the rest are
e-mails of up to ten lines (median 81 characters, 95th percentile 177). No text comes twice, so nothing can be cached.
"""

from __future__ import annotations

import json
import random

from training.data import STARTER_CORPUS


def messages(count: int, seed: int = 7) -> list[str]:
    """`count` different messages; more than the corpus holds get a number at their end."""
    texts = [
        json.loads(line)["text"]
        for file in sorted(STARTER_CORPUS.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    random.Random(seed).shuffle(texts)
    return [texts[index % len(texts)] + (f" {index}" if index >= len(texts) else "") for index in range(count)]
