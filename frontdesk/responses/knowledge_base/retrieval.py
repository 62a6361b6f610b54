"""Which passages a message is answered from: those of its intent, the nearest to the message first.

Nearness is BM25 (Robertson and Zaragoza 2009) over stems of title and text, as a share of the nearest passage's, plus
the cosine of message and passage in the space of the champion's features: that space knows which words are alike, BM25
knows which words are telling. Of 191 written questions the right passage of the right intent comes first for 71.2 % by
BM25, 70.2 % by the cosine and 76.4 % by both (`benchmarks/retrieval.py`). Passages of other intents come after, and
only where they share telling words with the message: a second question in it is then answered too. Pure; knows nothing
of models or replies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from frontdesk.responses.knowledge_base.articles import Knowledge, Passage
from frontdesk.responses.text.normalization import content_stems
from frontdesk.scores import Floats
from frontdesk.types import CustomerTier

MAX_PASSAGES = 3
"""Of one intent: a team may well have a dozen, a reply has room for a few."""

_K1, _B = 1.2, 0.75
_TITLE_COUNTS = 2
_NEAR = 0.8
"""A passage of another intent must be this near, as a share of the nearness of the best."""


class Embedder(Protocol):
    """A vector of one masked text, always of the same width; zeros where nothing is known of its words."""

    def embed(self, text: str) -> Floats: ...


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage and how near it is: by `bm25` from 0 to 1, the nearest's, and by cosine, from -1 to 1."""

    passage: Passage
    bm25: float
    cosine: float

    @property
    def sum(self) -> float:
        return self.bm25 + self.cosine


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """An index over all passages, made once."""

    knowledge: Knowledge
    _embedder: Embedder
    _vectors: dict[str, Floats]
    _terms: dict[str, Counter[str]]
    _rarity: dict[str, float]
    _mean_length: float

    @classmethod
    def build(cls, knowledge: Knowledge, embedder: Embedder) -> PassageIndex:
        terms = {passage.id: Counter(_terms_of(passage)) for passage in knowledge.passages}
        seen = Counter(term for counts in terms.values() for term in counts)
        total = len(terms)
        rarity = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in seen.items()}
        vectors = {
            passage.id: _unit(embedder.embed(f"{passage.title} {passage.text}")) for passage in knowledge.passages
        }
        return cls(knowledge, embedder, vectors, terms, rarity, sum(map(Counter.total, terms.values())) / total)

    def find(self, label: str, text: str, on: date, tier: CustomerTier, language: str) -> tuple[Passage, ...]:
        """The passages on an intent that hold on that day for that customer, nearest first, at most `MAX_PASSAGES`.

        Those in `language` where there are any, else those in the first language that the team has them in. Where none
        is nearer than another, they stay in the order of their files.
        """
        held = [passage for passage in self.knowledge.for_intent(label, on) if passage.is_for(tier)]
        if not held:
            return ()
        spoken = language if any(passage.language == language for passage in held) else held[0].language
        told = [passage for passage in held if passage.language == spoken]
        if len(told) == 1:
            return tuple(told)
        return tuple(near.passage for near in self.rank_passages(text, told)[:MAX_PASSAGES])

    def related_passages(
        self, found: Sequence[Passage], text: str, on: date, tier: CustomerTier
    ) -> tuple[Passage, ...]:
        """At most one passage of another intent, in the language of `found`, about as near to the text as the best."""
        if not found:
            return ()
        others = [
            passage
            for passage in self.knowledge.passages
            if passage.valid_on(on)
            and passage.is_for(tier)
            and passage.language == found[0].language
            and not set(passage.intents) & {intent for one in found for intent in one.intents}
        ]
        ranked = self.rank_passages(text, [*found, *others])
        least = _NEAR * max(near.sum for near in ranked if near.passage in found)
        near = next((near for near in ranked if near.passage not in found), None)
        return (near.passage,) if near is not None and near.bm25 > 0 and near.sum >= least else ()

    def rank_passages(self, text: str, passages: Sequence[Passage]) -> list[RankedPassage]:
        """All of `passages`, the nearest to a masked text first; where none is nearer they stay in their order."""
        terms = set(content_stems(text))
        shared = [self._shared(terms, passage) for passage in passages]
        most = max(shared, default=0.0) or 1.0
        vector = _unit(self._embedder.embed(text))
        found = [
            RankedPassage(passage, bm25 / most, float(vector @ self._vectors[passage.id]))
            for passage, bm25 in zip(passages, shared, strict=True)
        ]
        return sorted(found, key=lambda near: -near.sum)

    def _shared(self, terms: Set[str], passage: Passage) -> float:
        """BM25."""
        counts = self._terms[passage.id]
        norm = _K1 * (1 - _B + _B * counts.total() / self._mean_length)
        return sum(
            self._rarity[term] * counts[term] * (_K1 + 1) / (counts[term] + norm) for term in terms if term in counts
        )


def _unit(vector: Floats) -> Floats:
    """Of length 1, but for zeros."""
    length = float(np.sqrt(vector @ vector))
    return vector / length if length > 0 else vector


def _terms_of(passage: Passage) -> list[str]:
    return _TITLE_COUNTS * content_stems(passage.title, passage.language) + content_stems(
        passage.text, passage.language
    )
