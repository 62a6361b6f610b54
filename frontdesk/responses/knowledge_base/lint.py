"""Find problems in the knowledge base: missing or expired passages, and contradictory promises.

Two passages contradict each other if a clause of each is about the same subject and the quantities differ: "return it
within 30 days" and "return it within 14 days". The subject is the same if the units are equal and the other clause
contains most of the distinctive words of the shorter one. The comparison uses words only, so it has false positives and
false negatives: a person decides. Pure; the date is a parameter.
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

_MIN_SIMILARITY = 0.65
"""Share of the shorter clause's weight (rare words weigh more) that both clauses have in common.

At this value the starter passages have no contradiction.
"""
_MIN_SHARED_STEMS = 2


@dataclass(frozen=True, slots=True)
class KnowledgeProblem:
    """`kind`: error or warning. `rule`: missing, expired, expiring, unknown-intent or contradiction."""

    kind: str
    rule: str
    told: str  # vocabulary: a key of `knowledge check --json`
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _QuantityStatement:
    """A quantity in a passage, and the other stems of its clause."""

    passage: Passage
    clause: str
    quantity: Quantity
    context: frozenset[str]


def find_problems(
    knowledge: Knowledge, taxonomy: Taxonomy, today: date, warning_period: timedelta
) -> tuple[KnowledgeProblem, ...]:
    """Return everything that a support lead should review, errors first.

    Args:
        knowledge: all passages.
        taxonomy: each of its intents needs a passage; a missing one is only a warning if the intent always escalates.
        today: the current date.
        warning_period: a passage that ends within this time is a warning.
    """
    problems = [
        *_missing_passages(knowledge, taxonomy, today),
        *_expiring(knowledge, today, warning_period),
        *_unknown_intents(knowledge, taxonomy),
        *_contradictions([passage for passage in knowledge.passages if passage.valid_on(today)]),
    ]
    return tuple(sorted(problems, key=lambda problem: problem.kind != "error"))


def _missing_passages(knowledge: Knowledge, taxonomy: Taxonomy, today: date) -> Iterator[KnowledgeProblem]:
    for intent in taxonomy.intents:
        if knowledge.for_intent(intent.name, today):
            continue
        invalid_passages = tuple(passage.id for passage in knowledge.passages if intent.name in passage.intents)
        cause = f"has only passages that are not valid on {today}" if invalid_passages else "has no passage"
        yield KnowledgeProblem(
            "warning" if intent.escalate else "error", "missing", f"The intent {intent.name} {cause}.", invalid_passages
        )


def _expiring(knowledge: Knowledge, today: date, warning_period: timedelta) -> Iterator[KnowledgeProblem]:
    for passage in knowledge.passages:
        if passage.valid_until is None:
            continue
        if passage.valid_until < today:
            yield KnowledgeProblem("warning", "expired", f"{passage.id} ended on {passage.valid_until}.", (passage.id,))
        elif passage.valid_until <= today + warning_period:
            yield KnowledgeProblem("warning", "expiring", f"{passage.id} ends on {passage.valid_until}.", (passage.id,))


def _unknown_intents(knowledge: Knowledge, taxonomy: Taxonomy) -> Iterator[KnowledgeProblem]:
    labels = set(taxonomy.labels)
    for passage in knowledge.passages:
        for intent in passage.intents:
            if intent not in labels:
                description = f"{passage.id} has the intent {intent}, which is not in the taxonomy."
                yield KnowledgeProblem("warning", "unknown-intent", description, (passage.id,))


def _contradictions(passages: Sequence[Passage]) -> Iterator[KnowledgeProblem]:
    statements = [statement for passage in passages for statement in _quantity_statements(passage)]
    rarity = _stem_weights(statements)
    reported: set[frozenset[str]] = set()
    for first, second in combinations(statements, 2):
        pair = frozenset((first.clause, second.clause))
        if first.passage is second.passage or pair in reported or not _may_contradict(first, second):
            continue
        if _similarity(first.context, second.context, rarity) >= _MIN_SIMILARITY:
            reported.add(pair)
            yield KnowledgeProblem(
                "error",
                "contradiction",
                f"{first.passage.id} says “{first.clause}”, {second.passage.id} says “{second.clause}”.",
                (first.passage.id, second.passage.id),
            )


def _quantity_statements(passage: Passage) -> Iterator[_QuantityStatement]:
    for clause in split_clauses(passage.text):
        for quantity in find_quantities(clause):
            if quantity.unit:
                context = set(content_stems(clause, passage.language)) - set(
                    content_stems(quantity.text, passage.language)
                )
                yield _QuantityStatement(passage, clause.strip(), quantity, frozenset(context))


def _may_contradict(first: _QuantityStatement, second: _QuantityStatement) -> bool:
    """Whether two statements with the same unit and language, for common customers, have different quantities.

    False if a clause also states the other's quantity.
    """
    audiences = set(first.passage.audience), set(second.passage.audience)
    return (
        first.quantity.unit == second.quantity.unit
        and first.quantity.key != second.quantity.key
        and first.passage.language == second.passage.language
        and (not all(audiences) or bool(audiences[0] & audiences[1]))
        and first.quantity.key not in {quantity.key for quantity in find_quantities(second.clause)}
        and second.quantity.key not in {quantity.key for quantity in find_quantities(first.clause)}
    )


def _stem_weights(statements: Sequence[_QuantityStatement]) -> dict[str, float]:
    """Weights of stems: a stem that occurs in few statements identifies the subject of a quantity best."""
    counts = Counter(word for statement in statements for word in statement.context)
    return {word: math.log(1 + len(statements) / count) for word, count in counts.items()}


def _similarity(first: frozenset[str], second: frozenset[str], rarity: dict[str, float]) -> float:
    """Weight of the common stems relative to the lighter clause; 0 if too few are in common."""
    shared = first & second
    if len(shared) < min(_MIN_SHARED_STEMS, len(first), len(second)) or not shared:
        return 0.0
    weights = [sum(rarity[word] for word in stems) for stems in (shared, first, second)]
    return weights[0] / min(weights[1:])
