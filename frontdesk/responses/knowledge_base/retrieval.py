"""Select the passages from which a message is answered: those of its intent, most similar to the message first.

The similarity is the BM25 score (Robertson and Zaragoza 2009) over stems of title and text, relative to the best
passage, plus the cosine similarity of message and passage in the champion's feature space. The feature space relates
words of similar meaning; BM25 weighs distinctive words. Of 191 written questions, the right passage of the right intent
comes first for 71.2 % by BM25, 70.2 % by the cosine and 76.4 % by both (`benchmarks/retrieval.py`). A passage of
another intent is added only if it shares distinctive words with the message, to answer a second question in it. Pure;
independent of models and replies.
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
"""Per intent. A team may have a dozen passages; a reply has room for a few."""

_K1, _B = 1.2, 0.75
_TITLE_WEIGHT = 2
_MIN_RELATED_SHARE = 0.8
"""A passage of another intent must reach this share of the best similarity."""


class Embedder(Protocol):
    """Embeds a masked text as a vector of fixed width, zeros if all its words are unknown."""

    def embed(self, text: str) -> Floats: ...


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage and its similarity: `bm25` from 0 to 1, relative to the best passage, and `cosine` from -1 to 1."""

    passage: Passage
    bm25: float
    cosine: float

    @property
    def sum(self) -> float:
        return self.bm25 + self.cosine


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """Search index over all passages, built once."""

    knowledge: Knowledge
    _embedder: Embedder
    _vectors: dict[str, Floats]
    _terms: dict[str, Counter[str]]
    _idf: dict[str, float]
    _mean_length: float

    @classmethod
    def build(cls, knowledge: Knowledge, embedder: Embedder) -> PassageIndex:
        terms = {passage.id: Counter(_weighted_terms(passage)) for passage in knowledge.passages}
        document_counts = Counter(term for counts in terms.values() for term in counts)
        passage_count = len(terms)
        idf = {
            term: math.log(1 + (passage_count - count + 0.5) / (count + 0.5)) for term, count in document_counts.items()
        }
        vectors = {
            passage.id: _normalize(embedder.embed(f"{passage.title} {passage.text}")) for passage in knowledge.passages
        }
        return cls(knowledge, embedder, vectors, terms, idf, sum(map(Counter.total, terms.values())) / passage_count)

    def find(self, label: str, text: str, day: date, tier: CustomerTier, language: str) -> tuple[Passage, ...]:
        """The passages of an intent that are valid for that day and customer, most similar first.

        Returns at most `MAX_PASSAGES`. Prefers passages in `language`; without any, uses those in the language of the
        first passage. Ties keep the order of the files.
        """
        valid = [passage for passage in self.knowledge.for_intent(label, day) if passage.is_for(tier)]
        if not valid:
            return ()
        passage_language = language if any(passage.language == language for passage in valid) else valid[0].language
        candidates = [passage for passage in valid if passage.language == passage_language]
        if len(candidates) == 1:
            return tuple(candidates)
        return tuple(ranked.passage for ranked in self.rank_passages(text, candidates)[:MAX_PASSAGES])

    def related_passages(
        self, main_passages: Sequence[Passage], text: str, day: date, tier: CustomerTier
    ) -> tuple[Passage, ...]:
        """At most one passage of another intent, in the language of `main_passages`, about as similar as the best."""
        if not main_passages:
            return ()
        others = [
            passage
            for passage in self.knowledge.passages
            if passage.valid_on(day)
            and passage.is_for(tier)
            and passage.language == main_passages[0].language
            and not set(passage.intents) & {intent for passage in main_passages for intent in passage.intents}
        ]
        ranked = self.rank_passages(text, [*main_passages, *others])
        threshold = _MIN_RELATED_SHARE * max(each.sum for each in ranked if each.passage in main_passages)
        each = next((each for each in ranked if each.passage not in main_passages), None)
        return (each.passage,) if each is not None and each.bm25 > 0 and each.sum >= threshold else ()

    def rank_passages(self, text: str, passages: Sequence[Passage]) -> list[RankedPassage]:
        """Sort `passages` by similarity to a masked text. Ties keep their order."""
        terms = set(content_stems(text))
        scores = [self._bm25(terms, passage) for passage in passages]
        highest = max(scores, default=0.0) or 1.0
        vector = _normalize(self._embedder.embed(text))
        ranked = [
            RankedPassage(passage, bm25 / highest, float(vector @ self._vectors[passage.id]))
            for passage, bm25 in zip(passages, scores, strict=True)
        ]
        return sorted(ranked, key=lambda each: -each.sum)

    def _bm25(self, terms: Set[str], passage: Passage) -> float:
        """The BM25 score of a passage."""
        counts = self._terms[passage.id]
        norm = _K1 * (1 - _B + _B * counts.total() / self._mean_length)
        return sum(
            self._idf[term] * counts[term] * (_K1 + 1) / (counts[term] + norm) for term in terms if term in counts
        )


def _normalize(vector: Floats) -> Floats:
    """Scale a vector to length 1; zeros stay zeros."""
    length = float(np.sqrt(vector @ vector))
    return vector / length if length > 0 else vector


def _weighted_terms(passage: Passage) -> list[str]:
    return _TITLE_WEIGHT * content_stems(passage.title, passage.language) + content_stems(
        passage.text, passage.language
    )
