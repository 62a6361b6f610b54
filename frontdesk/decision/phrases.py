"""Phrases of the priority policy, matched on the words of a text.

A text is a list of tokens: words, single signs, and blank lines (`tokenize`). A phrase is a sequence of words with this
notation; everything else is literal:

- `hack(|s|ed|ing)`  one of several spellings: hack, hacks, hacked, hacking
- `medic*`           every word that starts so
- `not ... urgent`   up to three modifiers in between, such as "a very"
- `post ~6 twitter`  up to six tokens of any kind in between, within the sentence

Matching takes time in proportion to the length of the text: a token starts a bounded number of phrases, and a phrase
spans a bounded number of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product

SENTENCE_ENDS = frozenset(".!?;…\n")
"""First characters of the tokens that end a sentence."""

MODIFIERS = frozenset(
    "a absolutely all an any at be big by especially exactly extremely great high huge immediate in major means overly "
    "particularly priority real really so super terribly that the too very".split()
)
"""Words that `...` matches. Not any word: "do not ignore this urgent message"."""

_MODIFIERS_AND_HYPHEN = MODIFIERS | {"-"}
MAX_MODIFIERS = 3
MAX_GAP = 20

_TOKEN = re.compile(r"'s(?!\w)|\w+(?:'(?!s(?!\w))\w+)*|\n\s*\n|[^\w\s]")
_SPELLINGS = re.compile(r"\((?=[^()|]*\|)([^()]*)\)")
_WORD_OF_PHRASE = re.compile(r"(?:\([^()|]*\|[^()]*\)|\S)+")
_GAP = re.compile(r"~(\d+)")
_PLAIN_SIGNS = {
    **dict.fromkeys(("â€™", "â€˜", *"’‘ʼ´`′‛＇\x92"), "'"),
    **dict.fromkeys("‐‑–—−", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
}
"""Apostrophes (two of them in the wrong encoding), hyphens and invisible characters -> what `fold_text` returns."""
_UNUSUAL_SIGN = re.compile(f"â€[™˜]|[{''.join(sign for sign in _PLAIN_SIGNS if len(sign) == 1)}]")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The element `medic*` of a phrase."""

    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The elements `...` and `~N` of a phrase: at most `size` tokens, only modifiers or any within the sentence."""

    size: int
    only_modifiers: bool


MODIFIER_GAP = Gap(MAX_MODIFIERS, only_modifiers=True)

Element = frozenset[str] | Prefix | Gap
"""A set has the spellings of one word."""

Phrase = tuple[Element, ...]


def fold_text(text: str) -> str:
    """Return `text` case folded, with straight apostrophes and hyphens and without invisible characters.

    Not `frontdesk.folding.fold`: that also keeps the positions of the original, which takes ten times as long.
    """
    folded = text.casefold()
    if folded.isascii():
        return folded.replace("`", "'")
    return _UNUSUAL_SIGN.sub(lambda match: _PLAIN_SIGNS[match[0]], folded)


def tokenize(folded: str) -> list[str]:
    """Return the words, signs and blank lines of a text from `fold_text`."""
    return _TOKEN.findall(folded)


def parse_phrase(text: str) -> list[Phrase]:
    """Return the phrases that `text` stands for: several if a spelling consists of several tokens ("he's")."""
    parts_of_phrase = _WORD_OF_PHRASE.findall(fold_text(text))
    choices: list[list[Phrase]] = []
    for position, word in enumerate(parts_of_phrase):
        is_inside = 0 < position < len(parts_of_phrase) - 1
        gap = _GAP.fullmatch(word)
        if is_inside and word == "...":
            choices.append([(MODIFIER_GAP,)])
        elif is_inside and gap is not None:
            choices.append([(Gap(min(int(gap[1]), MAX_GAP), only_modifiers=False),)])
        elif len(word) > 1 and word.endswith("*"):
            *tokens, last = tokenize(word[:-1])
            choices.append([(*(frozenset({token}) for token in tokens), Prefix(last))])
        else:
            choices.append(_parse_word(word))
    phrases = (tuple(element for part in parts for element in part) for parts in product(*choices))
    return [phrase for phrase in map(_strip_gaps, phrases) if phrase]


def _strip_gaps(phrase: Phrase) -> Phrase:
    """Return `phrase` without gaps at its ends, which remain if an optional word is left out: "(|very) ... urgent"."""
    while phrase and isinstance(phrase[0], Gap):
        phrase = phrase[1:]
    while phrase and isinstance(phrase[-1], Gap):
        phrase = phrase[:-1]
    return phrase


@dataclass(slots=True)
class _Phrases:
    """Phrases with one first word, as (cue, phrase), by what follows that word."""

    single: list[tuple[int, Phrase]] = field(default_factory=list)
    by_second: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)
    after_modifiers: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)
    after_gap: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)
    max_gap: int = 0
    cues: set[int] = field(default_factory=set)
    others: list[tuple[int, Phrase]] = field(default_factory=list)

    def add(self, cue: int, phrase: Phrase) -> None:
        self.cues.add(cue)
        second, third = [*phrase[1:3], None, None][:2]
        if second is None:
            self.single.append((cue, phrase))
        elif isinstance(second, frozenset):
            _append_to_each(self.by_second, second, (cue, phrase))
        elif isinstance(second, Gap) and isinstance(third, frozenset):
            _append_to_each(self.after_modifiers if second.only_modifiers else self.after_gap, third, (cue, phrase))
            self.max_gap = max(self.max_gap, 0 if second.only_modifiers else second.size)
        else:
            self.others.append((cue, phrase))

    def may_match(self, tokens: Sequence[str], start: int) -> bool:
        """Whether a phrase may match at `start`, by its next tokens. Fast: for most words, none does."""
        if self.single or self.others:
            return True
        if start + 1 >= len(tokens):
            return False
        second = tokens[start + 1]
        if second in self.by_second:
            return True
        return self.may_follow_modifiers(tokens, start + 1) or self.may_follow_gap(tokens, start + 1)

    def may_follow_modifiers(self, tokens: Sequence[str], after: int) -> bool:
        words = self.after_modifiers
        if tokens[after] in words:
            return True
        if not words or tokens[after] not in _MODIFIERS_AND_HYPHEN:
            return False
        return not words.keys().isdisjoint(tokens[after : after + 2 * MAX_MODIFIERS + 1])

    def may_follow_gap(self, tokens: Sequence[str], after: int) -> bool:
        return bool(self.after_gap) and not self.after_gap.keys().isdisjoint(tokens[after : after + self.max_gap + 1])


def _append_to_each(
    lists: dict[str, list[tuple[int, Phrase]]], words: Iterable[str], entry: tuple[int, Phrase]
) -> None:
    for word in words:
        lists.setdefault(word, []).append(entry)


@dataclass(slots=True)
class PhraseIndex:
    """Phrases of several cues, by their first words. A cue is a number."""

    by_word: dict[str, _Phrases] = field(default_factory=dict)
    by_prefix: dict[str, _Phrases] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()

    @classmethod
    def build(cls, cues: Iterable[Iterable[str]]) -> PhraseIndex:
        """Return the index of the phrases of each cue, in order."""
        index = cls()
        for cue, texts in enumerate(cues):
            for phrase in (phrase for text in texts for phrase in parse_phrase(text)):
                first = phrase[0]
                if isinstance(first, Prefix):
                    index.by_prefix.setdefault(first.text, _Phrases()).add(cue, phrase)
                elif isinstance(first, frozenset):
                    for word in first:
                        index.by_word.setdefault(word, _Phrases()).add(cue, phrase)
        index.prefix_lengths = tuple({len(prefix) for prefix in index.by_prefix})
        return index

    def find(self, tokens: Sequence[str], skip: Set[int] = frozenset()) -> Iterator[tuple[int, int, int]]:
        """Yield (cue, start, end) of the phrases in `tokens`, by start. `skip` may grow: its cues are not matched."""
        by_word, by_prefix, lengths = self.by_word, self.by_prefix, self.prefix_lengths
        for start, word in enumerate(tokens):
            phrases = by_word.get(word)
            if phrases is not None and not phrases.cues <= skip and phrases.may_match(tokens, start):
                yield from _find_at(tokens, start, phrases, skip)
            for length in lengths:
                if word[:length] in by_prefix:
                    yield from _find_at(tokens, start, by_prefix[word[:length]], skip)


def _find_at(tokens: Sequence[str], start: int, phrases: _Phrases, skip: Set[int]) -> Iterator[tuple[int, int, int]]:
    candidates = [(cue, phrase, start + 1, 1) for cue, phrase in (*phrases.single, *phrases.others)]
    after = start + 1
    if after < len(tokens):
        second = tokens[after]
        candidates += ((cue, phrase, after + 1, 2) for cue, phrase in phrases.by_second.get(second, ()))
        if phrases.may_follow_modifiers(tokens, after):
            candidates += _after_gap(tokens, after, phrases.after_modifiers, MODIFIER_GAP)
        if phrases.may_follow_gap(tokens, after):
            candidates += _after_gap(tokens, after, phrases.after_gap, Gap(phrases.max_gap, only_modifiers=False))
    for cue, phrase, position, index in candidates:
        if cue not in skip:
            end = match_end(tokens, position, phrase, index)
            if end >= 0:
                yield cue, start, end


def _after_gap(
    tokens: Sequence[str], after: int, by_third: Mapping[str, Sequence[tuple[int, Phrase]]], gap: Gap
) -> Iterator[tuple[int, Phrase, int, int]]:
    for position in reversed(_gap_ends(tokens, after, gap)):
        if position < len(tokens) and tokens[position] in by_third:
            for cue, phrase in by_third[tokens[position]]:
                second = phrase[1]
                if isinstance(second, Gap) and (second.only_modifiers or position - after <= second.size):
                    yield cue, phrase, position + 1, 3


def match_end(tokens: Sequence[str], position: int, phrase: Phrase, index: int = 0) -> int:
    """Return the end of `phrase[index:]` at `position` of `tokens`, with the longest gaps; -1 if it does not match."""
    for at in range(index, len(phrase)):
        element = phrase[at]
        if isinstance(element, Gap):
            for following in reversed(_gap_ends(tokens, position, element)):
                end = match_end(tokens, following, phrase, at + 1)
                if end >= 0:
                    return end
            return -1
        if position >= len(tokens):
            return -1
        token = tokens[position]
        if not (token in element if isinstance(element, frozenset) else token.startswith(element.text)):
            return -1
        position += 1
    return position


def _gap_ends(tokens: Sequence[str], position: int, gap: Gap) -> list[int]:
    """Return the positions at which a gap that starts at `position` may end, in ascending order."""
    ends, size = [position], 0
    furthest = min(len(tokens), position + 2 * gap.size)
    while size < gap.size and position < furthest:
        token = tokens[position]
        if gap.only_modifiers:
            if token not in _MODIFIERS_AND_HYPHEN:
                break
            size += token in MODIFIERS  # "high-priority" is one modifier with its hyphen
        elif token[0] in SENTENCE_ENDS:
            break
        else:
            size += 1
        position += 1
        ends.append(position)
    return ends


def _parse_word(word: str) -> list[Phrase]:
    pieces = _SPELLINGS.split(word)
    if len(pieces) == 1:
        return [tuple(frozenset({token}) for token in tokenize(word))]
    options = [piece.split("|") if number % 2 else [piece] for number, piece in enumerate(pieces)]
    spellings = [tuple(tokenize("".join(parts))) for parts in product(*options)]
    single = frozenset(tokens[0] for tokens in spellings if len(tokens) == 1)
    several = [tuple(frozenset({token}) for token in tokens) for tokens in spellings if len(tokens) != 1]
    return [*([(single,)] if single else []), *several]
