"""Cues: phrases in a message that say something about its priority, such as "caught fire" or "by Friday".

A cue occurs if one of its phrases occurs that is not denied (`negation.py`) and not within one of the phrases of
`unless`, which have another meaning: "tennis court" within `court`. Calming cues, with zero or negative points, are
matched first, and their text is not matched by other cues: "not urgent" does not count as "urgent".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from frontdesk.decision.negation import contains_negation, is_denied
from frontdesk.decision.phrases import PhraseIndex, fold_text, tokenize

# Placeholders are replaced by a sign, so that no phrase matches within them or across them.
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*_\d+\]")
PLACEHOLDER_SUBSTITUTE = "[]"
_REMOVED = "\0"

_WORK = (
    r"(?:board game|game|novel|book|film|movie|album|song|series|dvd|blu-ray|puzzle|poster|perfume|comic|magazine|"
    r"vinyl|audiobook|t-shirt|shirt|mug|calendar|toy|edition)s?"
)
_ALSO_A_VERB = r"(?:show|play|record)"
_QUOTED = r"[\"“„«][^\"“”„«»\n]{1,60}[\"”“»]"
_TITLE_OF_WORK = re.compile(
    rf"\b(?:{_WORK}|(?:the|a) {_ALSO_A_VERB}),? (?:(?:called|titled|named|entitled) )?{_QUOTED}"
    rf"|{_QUOTED} (?={_WORK}\b)",
    re.IGNORECASE,
)
"""A title in quotation marks next to the kind of product: the game "Fraud Squad". Not: the page shows "fraud"."""
_QUOTATION_MARKS = ('"', "“", "„", "«")


@dataclass(frozen=True, slots=True)
class PriorityCue:
    """Phrases that indicate haste, harm or patience. If any of them occurs, the cue gives `points`, once.

    `unless`: phrases with another meaning. `deniable`: whether a negation before a phrase cancels it; not for adverbs
    of time, as in "nothing for a month".
    """

    name: str
    points: float
    because: str
    phrases: tuple[str, ...]
    unless: tuple[str, ...] = ()
    deniable: bool = True


@dataclass(frozen=True, slots=True)
class CueMatcher:
    """Finds cues in a text. Independent of their points, except for the sign."""

    calming: tuple[PriorityCue, ...]
    cues: tuple[PriorityCue, ...]
    calming_index: PhraseIndex
    index: PhraseIndex
    other_meanings: tuple[PhraseIndex, ...]
    """For each of `cues`, the phrases of `unless`."""

    @classmethod
    def build(cls, cues: Sequence[PriorityCue]) -> CueMatcher:
        """Return the matcher of all cues of a policy, in the order of the file."""
        calming = tuple(cue for cue in cues if cue.points <= 0)
        others = tuple(cue for cue in cues if cue.points > 0)
        return cls(
            calming,
            others,
            PhraseIndex.build(cue.phrases for cue in calming),
            PhraseIndex.build(cue.phrases for cue in others),
            tuple(PhraseIndex.build([cue.unless]) for cue in others),
        )

    def find(self, text: str) -> list[PriorityCue]:
        """Return the cues in a text from `replace_placeholders`: the calming ones, then the others, in their order."""
        if any(mark in text for mark in _QUOTATION_MARKS):
            text = _TITLE_OF_WORK.sub(f" {PLACEHOLDER_SUBSTITUTE} ", text)
        tokens = tokenize(fold_text(text))
        calming = self._remove_calming(tokens)
        return [*calming, *self._find_others(tokens)]

    def _remove_calming(self, tokens: list[str]) -> list[PriorityCue]:
        """Return the calming cues, and overwrite their phrases in `tokens`: the longest first, in the cues' order."""
        matched: set[int] = set()
        spans = sorted(self.calming_index.find(tokens), key=lambda span: (span[0], span[1], -span[2]))
        for cue, start, end in spans:
            if _REMOVED not in tokens[start:end]:
                tokens[start:end] = [_REMOVED] * (end - start)
                matched.add(cue)
        return [cue for number, cue in enumerate(self.calming) if number in matched and cue.points]

    def _find_others(self, tokens: list[str]) -> list[PriorityCue]:
        matched: set[int] = set()
        furthest: dict[int, list[int]] = {}
        for cue, start, end in self.index.find(tokens, matched):
            if cue in matched or self._has_other_meaning(cue, tokens, start, end, furthest):
                continue
            may_be_denied = self.cues[cue].deniable and not contains_negation(tokens[start:end])
            if not (may_be_denied and is_denied(tokens, start, end)):
                matched.add(cue)
        return [cue for number, cue in enumerate(self.cues) if number in matched]

    def _has_other_meaning(
        self, cue: int, tokens: Sequence[str], start: int, end: int, furthest: dict[int, list[int]]
    ) -> bool:
        """Whether a phrase of `unless` includes `tokens[start:end]`; `furthest` has the ends by cue, once computed."""
        if not self.cues[cue].unless:
            return False
        if cue not in furthest:
            ends = [0] * len(tokens)
            for _, other_start, other_end in self.other_meanings[cue].find(tokens):
                ends[other_start] = max(ends[other_start], other_end)
            furthest[cue] = list(accumulate(ends, max))
        return furthest[cue][start] >= end


def replace_placeholders(text: str) -> str:
    """Return `text` with a sign for each placeholder, whose capitals the customer did not write."""
    return _PLACEHOLDER.sub(PLACEHOLDER_SUBSTITUTE, text)
