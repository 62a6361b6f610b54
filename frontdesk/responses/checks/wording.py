"""A reply that nobody reads before it is sent says only what its passages say.

The other checks know what must not be said; this one knows what may be, and is the one that holds where a customer
dictates something that nobody has thought of. Sentence by sentence, by stems of words:

    known       every word stands in a passage, or is one of the policy's courtesy words
    one source  the words of a sentence come from one sentence of a passage; with figures, from its one clause
    whole       the conditions of that sentence ("until", "unless", "within ...") are told with it
    no more     it denies something, or says "all" or "always", only where that sentence does

Words are no meaning: a sentence can pass and still be badly put, and many a good paraphrase fails. That costs a
repair, or a person's look; the other error would cost a promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from frontdesk.responses.checks.draft import Draft, Finding
from frontdesk.responses.figures import Figure, Grounds, figures
from frontdesk.responses.words import clauses, content, negations, sentences, words

_CONDITION = re.compile(
    r"\b(?:if|until|unless|provided|only|as long as|within|once|before|after|afterwards|except|above|below|as soon as|"
    r"wenn|falls|bis|nur|sofern|solange|innerhalb|binnen|vor|nach|außer|sobald|"
    r"si|jusqu|sauf|seulement|avant|après|dès|hasta|salvo|solo|antes|después|dentro|"
    r"se|fino|tranne|prima|dopo|entro|als|tot|tenzij|alleen|voor|na|binnen|"
    r"até|exceto|apenas|depois|om|tills|bara|innan|efter|inom)\b[^.,;:!?]*",
    re.IGNORECASE,
)
_EVERY = frozenset(
    "all any every each both always whenever whatever wherever alle jede jeder immer tous toutes".split()
)
_CONDITIONS_TOLD = 0.5
_NEARLY_ALL = 0.8


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence of a passage, or a clause of it."""

    text: str
    stems: frozenset[str]
    grounds: Grounds

    @classmethod
    def of(cls, text: str, language: str) -> _Source:
        return cls(text, frozenset(content(text, language)), Grounds([text]))


def wording(draft: Draft) -> Iterator[Finding]:
    """Sentences that do not come from a passage. Only asked of replies that nobody reads."""
    if not draft.unattended:
        return
    sources = [_Source.of(one, draft.language) for text in draft.sources for one in sentences(text)]
    parts = [_Source.of(one, draft.language) for text in draft.sources for one in clauses(text)]
    known = frozenset(stem for source in sources for stem in source.stems)
    courtesy = draft.policy.courtesy_stems(draft.language)
    for sentence in sentences(draft.text):
        stated = frozenset(content(sentence, draft.language)) - courtesy
        if unknown := stated - known:
            yield Finding("wording", f"{len(unknown)} of its words stand in no passage")
            return
        rests_on = _rests_on(sentence, stated, sources)
        if rests_on is None or not _clauses_hold(sentence, courtesy, parts, draft.language):
            yield Finding("wording", "it mixes what the passages keep apart")
            return
        told = frozenset(content(sentence, draft.language))
        if rests_on and not any(_conditions_told(source, told, draft.language) for source in rests_on):
            yield Finding("wording", "it leaves out a condition that the passage makes")
            return


def _rests_on(sentence: str, stated: frozenset[str], sources: list[_Source]) -> list[_Source] | None:
    """The sentences of passages that say all of it; none are needed where nothing is stated; None where none do."""
    stated_figures = figures(sentence)
    if not stated and not stated_figures and not negations(sentence):
        return []
    found = [
        source
        for source in sources
        if stated <= source.stems
        and _hold(source, stated_figures)
        and _denies_alike(sentence, stated, source)
        and _EVERY.intersection(words(sentence)) <= set(words(source.text))
    ]
    return found or None


def _hold(source: _Source, stated: tuple[Figure, ...]) -> bool:
    return all(source.grounds.hold(figure) for figure in stated)


def _denies_alike(sentence: str, stated: frozenset[str], source: _Source) -> bool:
    """Nearly the same sentence denies as often; a shorter one denies nothing that the source does not."""
    ours, theirs = negations(sentence), negations(source.text)
    if len(stated) >= _NEARLY_ALL * len(source.stems):
        return ours == theirs
    return ours <= theirs


def _clauses_hold(sentence: str, courtesy: frozenset[str], parts: list[_Source], language: str) -> bool:
    """A clause with figures is told with the words of a clause that has them: 3 to 5 days are not those of express."""
    for clause in clauses(sentence):
        stated_figures = figures(clause)
        if not stated_figures:
            continue
        stated = frozenset(content(clause, language)) - courtesy
        competing = [part for part in parts if any(_same_unit(figure, part) for figure in stated_figures)]
        holding = [part for part in competing if _hold(part, stated_figures)]
        if len(competing) > len(holding) and not any(stated <= part.stems for part in holding):
            return False
    return True


def _same_unit(figure: Figure, part: _Source) -> bool:
    return any(other.unit == figure.unit for other in figures(part.text))


def _conditions_told(source: _Source, told: frozenset[str], language: str) -> bool:
    """At least half of the words of the conditions that the source's sentence makes."""
    conditions = frozenset(stem for found in _CONDITION.finditer(source.text) for stem in content(found[0], language))
    return len(conditions & told) >= _CONDITIONS_TOLD * len(conditions)
