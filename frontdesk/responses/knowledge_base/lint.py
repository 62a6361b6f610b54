"""What is wrong with a knowledge base: gaps, passages whose time is over, and promises that contradict each other.

Two passages contradict each other where a clause of each speaks about the same thing (the same unit, and most of the
telling words of the shorter clause stand in the other one too) and the figures differ: "return it within 30 days" and
"return it within 14 days". Found by words, so it can be fooled both ways: a person decides. Pure; the day is given.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from frontdesk.responses.knowledge_base.articles import Knowledge, Passage
from frontdesk.responses.text.normalization import content_stems, split_clauses
from frontdesk.responses.text.quantities import Quantity, find_quantities
from frontdesk.taxonomy import Taxonomy

_SAME_THING = 0.65
"""Of the shorter clause's weight (rare words weigh more) that the other must share; the starter passages stay quiet."""
_FEWEST_SHARED = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind`: error or warning. `rule`: missing, expired, expiring, unknown-intent or contradiction."""

    kind: str
    rule: str
    told: str
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Statement:
    """One figure of a passage with the stems around it."""

    passage: Passage
    clause: str
    figure: Quantity
    about: frozenset[str]


def find_problems(knowledge: Knowledge, taxonomy: Taxonomy, on: date, soon: timedelta) -> tuple[Problem, ...]:
    """Everything that a support lead should look at, errors first.

    Args:
        knowledge: all passages.
        taxonomy: its intents need a passage each, but those that are always handed over only earn a warning.
        on: the day that is meant by today.
        soon: a passage that ends within this time is worth a warning.
    """
    found = [
        *_gaps(knowledge, taxonomy, on),
        *_expiring(knowledge, on, soon),
        *_unknown(knowledge, taxonomy),
        *_contradictions([passage for passage in knowledge.passages if passage.valid_on(on)]),
    ]
    return tuple(sorted(found, key=lambda problem: problem.kind != "error"))


def _gaps(knowledge: Knowledge, taxonomy: Taxonomy, on: date) -> Iterator[Problem]:
    for intent in taxonomy.intents:
        if knowledge.for_intent(intent.name, on):
            continue
        over = tuple(passage.id for passage in knowledge.passages if intent.name in passage.intents)
        why = f"has only passages that do not hold on {on}" if over else "has no passage"
        yield Problem("warning" if intent.escalate else "error", "missing", f"The intent {intent.name} {why}.", over)


def _expiring(knowledge: Knowledge, on: date, soon: timedelta) -> Iterator[Problem]:
    for passage in knowledge.passages:
        if passage.valid_until is None:
            continue
        if passage.valid_until < on:
            yield Problem("warning", "expired", f"{passage.id} ended on {passage.valid_until}.", (passage.id,))
        elif passage.valid_until <= on + soon:
            yield Problem("warning", "expiring", f"{passage.id} ends on {passage.valid_until}.", (passage.id,))


def _unknown(knowledge: Knowledge, taxonomy: Taxonomy) -> Iterator[Problem]:
    labels = set(taxonomy.labels)
    for passage in knowledge.passages:
        for intent in passage.intents:
            if intent not in labels:
                told = f"{passage.id} speaks of {intent}, which the taxonomy does not know."
                yield Problem("warning", "unknown-intent", told, (passage.id,))


def _contradictions(passages: Sequence[Passage]) -> Iterator[Problem]:
    stated = [statement for passage in passages for statement in _statements(passage)]
    rarity = _rarity(stated)
    told: set[frozenset[str]] = set()
    for one, other in combinations(stated, 2):
        pair = frozenset((one.clause, other.clause))
        if one.passage is other.passage or pair in told or not _may_contradict(one, other):
            continue
        if _closeness(one.about, other.about, rarity) >= _SAME_THING:
            told.add(pair)
            yield Problem(
                "error",
                "contradiction",
                f"{one.passage.id} says “{one.clause}”, {other.passage.id} says “{other.clause}”.",
                (one.passage.id, other.passage.id),
            )


def _statements(passage: Passage) -> Iterator[_Statement]:
    for clause in split_clauses(passage.text):
        for figure in find_quantities(clause):
            if figure.unit:
                about = set(content_stems(clause, passage.language)) - set(content_stems(figure.text, passage.language))
                yield _Statement(passage, clause.strip(), figure, frozenset(about))


def _may_contradict(one: _Statement, other: _Statement) -> bool:
    """The same unit in the same language for customers in common; and neither clause states the other's figure too."""
    audiences = set(one.passage.audience), set(other.passage.audience)
    return (
        one.figure.unit == other.figure.unit
        and one.figure.key != other.figure.key
        and one.passage.language == other.passage.language
        and (not all(audiences) or bool(audiences[0] & audiences[1]))
        and one.figure.key not in {figure.key for figure in find_quantities(other.clause)}
        and other.figure.key not in {figure.key for figure in find_quantities(one.clause)}
    )


def _rarity(stated: Sequence[_Statement]) -> dict[str, float]:
    """Words that few clauses with figures hold say more about what a figure is for."""
    seen = Counter(word for statement in stated for word in statement.about)
    return {word: math.log(1 + len(stated) / times) for word, times in seen.items()}


def _closeness(one: frozenset[str], other: frozenset[str], rarity: dict[str, float]) -> float:
    """Weight of the shared words over that of the lighter clause, 0 where too few are shared."""
    shared = one & other
    if len(shared) < min(_FEWEST_SHARED, len(one), len(other)) or not shared:
        return 0.0
    weigh = [sum(rarity[word] for word in words) for words in (shared, one, other)]
    return weigh[0] / min(weigh[1:])
