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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

SENTENCE_ENDS = frozenset(".!?;…\n")
"""First characters of the tokens that end a sentence."""

MODIFIERS = frozenset(
    "a absolutely all an any at be big by especially exactly extremely great high huge immediate in major means overly "
    "particularly priority real really so super terribly that the too very".split()
)
"""Words that `...` matches. Not any word: "do not ignore this urgent message"."""

MAX_MODIFIERS = 3
MAX_GAP = 20

_TOKEN = re.compile(r"'s(?!\w)|\w+(?:'(?!s(?!\w))\w+)*|\n\s*\n|[^\w\s]")
_SPELLINGS = re.compile(r"\((?=[^()|\s]*\|)([^()\s]*)\)")
_GAP = re.compile(r"~(\d+)")
_FOREIGN_SIGNS = {
    **dict.fromkeys(map(ord, "’‘ʼ´`′‛＇\x92"), "'"),
    **dict.fromkeys(map(ord, "‐‑–—−"), "-"),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff")),
}
_MOJIBAKE_APOSTROPHES = ("â€™", "â€˜")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The element `medic*` of a phrase."""

    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The elements `...` and `~N` of a phrase: at most `size` tokens, only modifiers or any within the sentence."""

    size: int
    only_modifiers: bool


Element = frozenset[str] | Prefix | Gap
"""A set has the spellings of one word."""

Phrase = tuple[Element, ...]


def fold_text(text: str) -> str:
    """Return `text` case folded, with straight apostrophes and hyphens and without invisible characters."""
    folded = text.casefold()
    if folded.isascii():
        return folded.replace("`", "'")
    for apostrophe in _MOJIBAKE_APOSTROPHES:
        folded = folded.replace(apostrophe, "'")
    return folded.translate(_FOREIGN_SIGNS)


def tokenize(folded: str) -> list[str]:
    """Return the words, signs and blank lines of a text from `fold_text`."""
    return _TOKEN.findall(folded)


def parse_phrase(text: str) -> list[Phrase]:
    """Return the phrases that `text` stands for: several if a spelling consists of several tokens ("he's")."""
    written = fold_text(text).split()
    choices: list[list[Phrase]] = []
    for position, word in enumerate(written):
        is_inside = 0 < position < len(written) - 1
        gap = _GAP.fullmatch(word)
        if is_inside and word == "...":
            choices.append([(Gap(MAX_MODIFIERS, only_modifiers=True),)])
        elif is_inside and gap is not None:
            choices.append([(Gap(min(int(gap[1]), MAX_GAP), only_modifiers=False),)])
        elif len(word) > 1 and word.endswith("*"):
            *tokens, last = tokenize(word[:-1])
            choices.append([(*(frozenset({token}) for token in tokens), Prefix(last))])
        else:
            choices.append(_parse_word(word))
    phrases = (tuple(element for part in parts for element in part) for parts in product(*choices))
    return [phrase for phrase in phrases if phrase]


@dataclass(slots=True)
class PhraseIndex:
    """Phrases of several cues, by their first word. A cue is a number."""

    by_word: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)
    by_prefix: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()

    @classmethod
    def build(cls, cues: Iterable[Iterable[str]]) -> PhraseIndex:
        """Return the index of the phrases of each cue, in order."""
        index = cls()
        for cue, texts in enumerate(cues):
            for phrase in (phrase for text in texts for phrase in parse_phrase(text)):
                first = phrase[0]
                if isinstance(first, Prefix):
                    index.by_prefix.setdefault(first.text, []).append((cue, phrase))
                elif isinstance(first, frozenset):
                    for word in first:
                        index.by_word.setdefault(word, []).append((cue, phrase))
        index.prefix_lengths = tuple({len(prefix) for prefix in index.by_prefix})
        return index

    def starting_with(self, word: str) -> Sequence[tuple[int, Phrase]]:
        """Return each cue and phrase that may start with this token."""
        phrases = self.by_word.get(word, ())
        if self.prefix_lengths:
            phrases = [
                *phrases,
                *(found for length in self.prefix_lengths for found in self.by_prefix.get(word[:length], ())),
            ]
        return phrases

    def find(self, tokens: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        """Yield (cue, start, end) of each phrase in `tokens`, by start."""
        by_word, has_prefixes = self.by_word, bool(self.prefix_lengths)
        for start, word in enumerate(tokens):
            if has_prefixes or word in by_word:
                for cue, phrase in self.starting_with(word):
                    end = match_end(tokens, start, phrase)
                    if end >= 0:
                        yield cue, start, end


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
    while size < gap.size and position < len(tokens):
        token = tokens[position]
        if gap.only_modifiers:
            if token not in MODIFIERS and token != "-":
                break
            size += token != "-"  # "high-priority" is one modifier with its hyphen
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
