"""What every base model of the ensemble is: a name, and scores for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tokenizers import Encoding, Tokenizer

from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores


@dataclass(frozen=True, slots=True)
class Batch:
    """Masked texts and their feature rows; encoders read `texts`, the other members `rows`.

    `sampling` asks the members that have dropout for `Scores.sampled` too.
    """

    texts: Sequence[str]
    rows: FeatureBatch
    sampling: bool = False
    _encodings: dict[int, list[Encoding]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.texts)

    def encodings(self, tokenizer: Tokenizer) -> list[Encoding]:
        """The texts' tokens, worked out once for all members that share `tokenizer`."""
        encodings = self._encodings.get(id(tokenizer))
        if encodings is None:
            encodings = self._encodings[id(tokenizer)] = tokenizer.encode_batch_fast(list(self.texts))
        return encodings


class Member(Protocol):
    """A base model. `scores` is encode -> forward -> decode; it knows nothing of requests or batching."""

    @property
    def name(self) -> str: ...

    def scores(self, batch: Batch) -> Scores: ...
