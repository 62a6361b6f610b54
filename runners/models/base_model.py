"""The interface of a base model of the ensemble, and the batch that it scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tokenizers import Encoding, Tokenizer

from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores


@dataclass(frozen=True, slots=True)
class ModelBatch:
    """Masked texts and their feature rows. Encoders use `texts`, the other members `rows`.

    With `sampling`, members with dropout also return `Scores.sampled`.
    """

    texts: Sequence[str]
    rows: FeatureBatch
    sampling: bool = False
    _encodings: dict[int, list[Encoding]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.texts)

    def encodings(self, tokenizer: Tokenizer) -> list[Encoding]:
        """Return the tokens of the texts, computed once for all members that share `tokenizer`."""
        encodings = self._encodings.get(id(tokenizer))
        if encodings is None:
            encodings = self._encodings[id(tokenizer)] = tokenizer.encode_batch_fast(list(self.texts))
        return encodings


class Member(Protocol):
    """A base model. `scores` encodes, runs and decodes one batch."""

    @property
    def name(self) -> str: ...

    def scores(self, batch: ModelBatch) -> Scores: ...
