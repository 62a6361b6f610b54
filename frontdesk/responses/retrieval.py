"""Which passages a message is answered from: those of its intent, the nearest to its words first.

Nearness is BM25 (Robertson and Zaragoza 2009) over stems of title and text, because it needs no model in the process
that writes replies. Passages of other intents come after, and only where they share several telling words with the
message: a second question in the same message is then answered too. Pure; knows nothing of models or replies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from frontdesk.responses.knowledge import Knowledge, Passage
from frontdesk.responses.words import content
from frontdesk.types import CustomerTier

MOST_PASSAGES = 3
"""Of one intent: a team may well have a dozen, a reply has room for a few."""

_K1, _B = 1.2, 0.75
_TITLE_COUNTS = 2
_NEAR = 0.6
"""A passage of another intent must be this near, as a share of the nearness of the best."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """An index over all passages, made once."""

    knowledge: Knowledge
    _terms: dict[str, Counter[str]]
    _rarity: dict[str, float]
    _mean_length: float

    @classmethod
    def over(cls, knowledge: Knowledge) -> Retrieval:
        terms = {passage.id: Counter(_terms_of(passage)) for passage in knowledge.passages}
        seen = Counter(term for counts in terms.values() for term in counts)
        total = len(terms)
        rarity = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in seen.items()}
        return cls(knowledge, terms, rarity, sum(map(Counter.total, terms.values())) / total)

    def find(self, label: str, text: str, on: date, tier: CustomerTier, language: str) -> tuple[Passage, ...]:
        """The passages on an intent that hold on that day for that customer, nearest first, at most `MOST_PASSAGES`.

        Those in `language` where there are any, else those in the first language that the team has them in. Where none
        is nearer than another, they stay in the order of their files.
        """
        held = [passage for passage in self.knowledge.for_intent(label, on) if passage.is_for(tier)]
        if not held:
            return ()
        spoken = language if any(passage.language == language for passage in held) else held[0].language
        return self._nearest(text, [passage for passage in held if passage.language == spoken])[:MOST_PASSAGES]

    def beside(self, found: Sequence[Passage], text: str, on: date, tier: CustomerTier) -> tuple[Passage, ...]:
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
        terms = content(text)
        least = max(_NEAR * max(self._nearness(terms, passage) for passage in found), 1e-9)
        return tuple(passage for passage in self._nearest(text, others)[:1] if self._nearness(terms, passage) >= least)

    def _nearest(self, text: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        if len(passages) < 2:
            return tuple(passages)
        terms = content(text)
        return tuple(sorted(passages, key=lambda passage: -self._nearness(terms, passage)))

    def _nearness(self, terms: Sequence[str], passage: Passage) -> float:
        counts = self._terms[passage.id]
        norm = _K1 * (1 - _B + _B * counts.total() / self._mean_length)
        return sum(
            self._rarity[term] * counts[term] * (_K1 + 1) / (counts[term] + norm)
            for term in set(terms)
            if term in counts
        )


def _terms_of(passage: Passage) -> list[str]:
    return _TITLE_COUNTS * content(passage.title, passage.language) + content(passage.text, passage.language)
