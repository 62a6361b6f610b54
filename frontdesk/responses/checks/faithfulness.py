"""A reply that nobody reads before it is sent says only what its passages say.

The other checks know what must not be said; this one knows what may be, and is the one that holds where a customer
dictates something that nobody has thought of. Sentence by sentence, by stems of words:

    known       every word stands in a passage, has one like it there (`alike` in the policy), or is a courtesy word
    one source  the words of a sentence come from one sentence of a passage, its figures from figures side by side there
    whole       each condition of that sentence ("until", "unless", "within ...") is told with it
    turned      "not", "after", "all", "usually", "we" turn the words that they turn there, and none is left out
                (`negation_and_hedges.py`)

Words are no meaning: a sentence can pass and still be badly put, and many a good paraphrase fails. That costs a
repair, or a person's look; the other error would cost a promise. Measured on written replies, each wrong by one quiet
thing in the passages' own words: 2 of 72 pass, and 2 of 32 written afterwards (tests/injection/test_paraphrases.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from frontdesk.responses.checks.negation_and_hedges import CONDITIONS, WILL, Modifier, find_modifiers
from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.text.normalization import content_stems, count_negations, split_clauses, split_sentences
from frontdesk.responses.text.quantities import Quantity, SourceQuantities, find_quantities

_CONDITION_WORD = rf"\b(?:{'|'.join(map(re.escape, ('as long as', 'as soon as', *CONDITIONS)))})\b"
_CONDITION = re.compile(rf"{_CONDITION_WORD}(?:(?!{_CONDITION_WORD})[^.,;:!?])*", re.IGNORECASE)
_CONDITIONS_TOLD = 0.5
_NEARLY_ALL = 0.8


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence of a passage, or a clause of it."""

    text: str
    stems: frozenset[str]
    find_quantities: tuple[Quantity, ...]
    modifiers: frozenset[Modifier]

    @classmethod
    @lru_cache(maxsize=4_096)
    def of(cls, text: str, language: str) -> _Source:
        """Remembered: passages are few, and every sentence of every reply is held against them."""
        return cls(
            text, frozenset(content_stems(text, language)), find_quantities(text), find_modifiers(text, language)
        )


def wording(draft: Draft) -> Iterator[Finding]:
    """Sentences that do not come from a passage. Only asked of replies that nobody reads."""
    if not draft.unattended:
        return
    told_by = [draft.policy.replace_synonyms(source, draft.language) for source in draft.sources]
    sources = [_Source.of(one, draft.language) for text in told_by for one in split_sentences(text)]
    parts = [_Source.of(one, draft.language) for text in told_by for one in split_clauses(text)]
    known = frozenset(stem for source in sources for stem in source.stems)
    courtesy = draft.policy.courtesy_stems(draft.language)
    for sentence in split_sentences(draft.policy.replace_synonyms(draft.text, draft.language)):
        said = frozenset(content_stems(sentence, draft.language))
        if unknown := said - courtesy - known:
            yield Finding("wording", f"{len(unknown)} of its words stand in no passage")
            return
        stated = said & known if said - courtesy else frozenset()
        rests_on = _rests_on(sentence, stated, sources, draft.language)
        if rests_on is None or not _clauses_hold(sentence, courtesy - known, parts, draft.language):
            yield Finding("wording", "it mixes what the passages keep apart")
            return
        if rests_on and not any(_conditions_told(source, said, draft.language) for source in rests_on):
            yield Finding("wording", "it leaves out a condition that the passage makes")
            return


def _rests_on(sentence: str, stated: frozenset[str], sources: list[_Source], language: str) -> list[_Source] | None:
    """The sentences of passages that say all of it; none are needed where nothing is stated; None where none do."""
    stated_figures = find_quantities(sentence)
    if not stated and not stated_figures and not count_negations(sentence):
        return []
    modifiers = find_modifiers(sentence, language)
    found = [
        source
        for source in sources
        if stated <= source.stems
        and _in_a_row(stated_figures, source)
        and _denies_alike(sentence, stated, source)
        and _turns_alike(modifiers, stated, source)
    ]
    return found or None


def _turns_alike(modifiers: frozenset[Modifier], stated: frozenset[str], source: _Source) -> bool:
    """What is turned is turned so in the source too, and what the source turns is not told without it."""
    numbers = {head for _, head in modifiers}
    needed = {(word, head) for word, head in source.modifiers if word != WILL and (head in stated or head in numbers)}
    return modifiers <= source.modifiers and needed <= modifiers


def _in_a_row(stated: tuple[Quantity, ...], source: _Source) -> bool:
    """The figures stand side by side in the source too: the hours of one day are not those of the next."""
    theirs = source.find_quantities
    starts = range(len(theirs) - len(stated) + 1)
    return any(all(_grounded_by(ours, theirs[start + at]) for at, ours in enumerate(stated)) for start in starts)


def _grounded_by(figure: Quantity, other: Quantity) -> bool:
    return SourceQuantities.of([other]).contains(figure)


def _hold(source: _Source, stated: tuple[Quantity, ...]) -> bool:
    return all(SourceQuantities.of(source.find_quantities).contains(figure) for figure in stated)


def _denies_alike(sentence: str, stated: frozenset[str], source: _Source) -> bool:
    """Nearly the same sentence denies as often; a shorter one denies nothing that the source does not."""
    ours, theirs = count_negations(sentence), count_negations(source.text)
    if len(stated) >= _NEARLY_ALL * len(source.stems):
        return ours == theirs
    return ours <= theirs


def _clauses_hold(sentence: str, courtesy: frozenset[str], parts: list[_Source], language: str) -> bool:
    """A clause with figures is told with the words of a clause that has them: 3 to 5 days are not those of express."""
    for clause in split_clauses(sentence):
        stated_figures = find_quantities(clause)
        if not stated_figures:
            continue
        stated = frozenset(content_stems(clause, language)) - courtesy
        competing = [part for part in parts if any(_same_unit(figure, part) for figure in stated_figures)]
        holding = [part for part in competing if _hold(part, stated_figures)]
        if len(competing) > len(holding) and not any(stated <= part.stems for part in holding):
            return False
    return True


def _same_unit(figure: Quantity, part: _Source) -> bool:
    return any(other.unit in (figure.unit, "") for other in part.find_quantities)


def _conditions_told(source: _Source, told: frozenset[str], language: str) -> bool:
    """At least half of the words of each condition that the source's sentence makes."""
    conditions = [frozenset(content_stems(found[0], language)) for found in _CONDITION.finditer(source.text)]
    return all(len(words & told) >= _CONDITIONS_TOLD * len(words) for words in conditions)
