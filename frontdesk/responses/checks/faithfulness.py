"""Check that an unattended reply, sent without human review, states only what its passages state.

The other checks list what is forbidden. This check lists what is allowed, so it also stops unforeseen text that a
customer dictates. It compares stems of words, sentence by sentence:

    known words   every word occurs in a passage, has a synonym there (`alike` in the policy), or is a courtesy word
    one source    the words of a sentence come from one sentence of a passage, its quantities from adjacent ones there
    conditions    the sentence keeps each condition of that sentence ("until", "unless", "within ...")
    modifiers     "not", "after", "all", "usually", "we" modify the same words as there, and none is left out
                  (`negation_and_hedges.py`)

Equal words do not prove equal meaning: a badly worded sentence can pass, and many correct paraphrases fail. A false
alarm costs a repair or a human review; a missed error would be a false promise to a customer. Measured on replies with
one subtle error each, in the passages' own words: 2 of 72 pass, and 2 of 32 that were written afterwards
(tests/injection/test_paraphrases.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from frontdesk.responses.checks.negation_and_hedges import CONDITIONS, WILL, Modifier, find_modifiers
from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import content_stems, count_negations, split_clauses, split_sentences
from frontdesk.responses.text.quantities import Quantity, SourceQuantities, find_quantities

_CONDITION_WORD = rf"\b(?:{'|'.join(map(re.escape, ('as long as', 'as soon as', *CONDITIONS)))})\b"
_CONDITION = re.compile(rf"{_CONDITION_WORD}(?:(?!{_CONDITION_WORD})[^.,;:!?])*", re.IGNORECASE)
_MIN_CONDITION_SHARE = 0.5
_SAME_SENTENCE_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class _PassagePart:
    """A sentence of a passage, or a clause of it."""

    text: str
    stems: frozenset[str]
    quantities: tuple[Quantity, ...]
    modifiers: frozenset[Modifier]

    @classmethod
    @lru_cache(maxsize=4_096)
    def of(cls, text: str, language: str) -> _PassagePart:
        """Analyse a text. Cached, because every sentence of every reply is compared with the same few passages."""
        return cls(
            text, frozenset(content_stems(text, language)), find_quantities(text), find_modifiers(text, language)
        )


def wording(draft: Draft) -> Iterator[ReplyDefect]:
    """Find sentences that no passage supports. Applies only to replies that are sent without review."""
    if not draft.unattended:
        return
    passages = [draft.policy.replace_synonyms(source, draft.language) for source in draft.sources]
    sources = [_PassagePart.of(part, draft.language) for text in passages for part in split_sentences(text)]
    source_clauses = [_PassagePart.of(part, draft.language) for text in passages for part in split_clauses(text)]
    passage_stems = frozenset(stem for source in sources for stem in source.stems)
    courtesy = draft.policy.courtesy_stems(draft.language)
    for sentence in split_sentences(draft.policy.replace_synonyms(draft.text, draft.language)):
        stems = frozenset(content_stems(sentence, draft.language))
        if unknown := stems - courtesy - passage_stems:
            yield ReplyDefect("wording", f"{len(unknown)} of its words stand in no passage")
            return
        shared = stems & passage_stems if stems - courtesy else frozenset()
        supporting = _supporting_sources(sentence, shared, sources, draft.language)
        if supporting is None or not _are_clauses_supported(
            sentence, courtesy - passage_stems, source_clauses, draft.language
        ):
            yield ReplyDefect("wording", "it mixes what the passages keep apart")
            return
        if supporting and not any(_keeps_conditions(source, stems, draft.language) for source in supporting):
            yield ReplyDefect("wording", "it leaves out a condition that the passage makes")
            return


def _supporting_sources(
    sentence: str, stems: frozenset[str], sources: list[_PassagePart], language: str
) -> list[_PassagePart] | None:
    """The passage sentences that support the whole sentence.

    Empty if the sentence states nothing; None if it has no support.
    """
    quantities = find_quantities(sentence)
    if not stems and not quantities and not count_negations(sentence):
        return []
    modifiers = find_modifiers(sentence, language)
    supporting = [
        source
        for source in sources
        if stems <= source.stems
        and _states_in_sequence(quantities, source)
        and _has_same_negations(sentence, stems, source)
        and _has_same_modifiers(modifiers, stems, source)
    ]
    return supporting or None


def _has_same_modifiers(modifiers: frozenset[Modifier], stems: frozenset[str], source: _PassagePart) -> bool:
    """Whether the source has all modifiers of the sentence, and the sentence keeps the relevant ones of the source."""
    heads = {head for _, head in modifiers}
    needed = {(word, head) for word, head in source.modifiers if word != WILL and (head in stems or head in heads)}
    return modifiers <= source.modifiers and needed <= modifiers


def _states_in_sequence(quantities: tuple[Quantity, ...], source: _PassagePart) -> bool:
    """Whether the source states the quantities next to each other: hours of one day are not those of another."""
    source_quantities = source.quantities
    starts = range(len(source_quantities) - len(quantities) + 1)
    return any(
        all(_is_covered(quantity, source_quantities[start + index]) for index, quantity in enumerate(quantities))
        for start in starts
    )


def _is_covered(quantity: Quantity, other: Quantity) -> bool:
    return SourceQuantities.of([other]).contains(quantity)


def _states_all(source: _PassagePart, quantities: tuple[Quantity, ...]) -> bool:
    return all(SourceQuantities.of(source.quantities).contains(quantity) for quantity in quantities)


def _has_same_negations(sentence: str, stems: frozenset[str], source: _PassagePart) -> bool:
    """Whether a nearly identical sentence has as many negations as its source, and a shorter one not more."""
    in_sentence, in_source = count_negations(sentence), count_negations(source.text)
    if len(stems) >= _SAME_SENTENCE_SHARE * len(source.stems):
        return in_sentence == in_source
    return in_sentence <= in_source


def _are_clauses_supported(
    sentence: str, courtesy: frozenset[str], source_clauses: list[_PassagePart], language: str
) -> bool:
    """Whether each clause with quantities uses the words of a source clause with the same quantities.

    The 3 to 5 days of standard delivery must not become those of express delivery.
    """
    for clause in split_clauses(sentence):
        quantities = find_quantities(clause)
        if not quantities:
            continue
        stems = frozenset(content_stems(clause, language)) - courtesy
        competing = [
            source_clause
            for source_clause in source_clauses
            if any(_has_same_unit(quantity, source_clause) for quantity in quantities)
        ]
        supporting = [source_clause for source_clause in competing if _states_all(source_clause, quantities)]
        if len(competing) > len(supporting) and not any(stems <= source_clause.stems for source_clause in supporting):
            return False
    return True


def _has_same_unit(quantity: Quantity, source_clause: _PassagePart) -> bool:
    return any(other.unit in (quantity.unit, "") for other in source_clause.quantities)


def _keeps_conditions(source: _PassagePart, stems: frozenset[str], language: str) -> bool:
    """Whether the sentence has at least half of the words of each condition in the source sentence."""
    conditions = [frozenset(content_stems(match[0], language)) for match in _CONDITION.finditer(source.text)]
    return all(len(words & stems) >= _MIN_CONDITION_SHARE * len(words) for words in conditions)
