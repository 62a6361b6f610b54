"""Cards and IBANs with any separators between their groups, one digit at a time, or spelled in words.

    "4111/1111/1111/1111"    "4 1 1 1 1 1 ..."    "D E 8 9 3 7 0 4 ..."    "four one one one ..."

`banking` finds the usual formats first. A number matches only with a valid checksum, the first digits of an issuer and
groups of plausible size, so lists of prices, sizes and dates are not cards.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, pairwise

from frontdesk.masking.banking import LUHN_DOUBLED, iban_length, is_iban
from frontdesk.masking.spans import Span

_BETWEEN = r"(?:[^\w\0]|_){0,4}"
_THIRTEEN_DIGITS = re.compile(rf"[0-9](?:{_BETWEEN}[0-9]){{12}}")
_RUN = re.compile(r"(?<![0-9])[0-9]++(?:(?:[^\w\0]|_){1,4}[0-9]++)+")
_DIGITS = re.compile(r"[0-9]+")
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|(?:50|5[6-8])\d{14,17}"
    r"|6[0-57-9]\d{14,17}|3[47]\d{13}|3(?:0[0-5]|[689]\d)(?:\d{11}|\d{13})|35\d{14}"
)
"""Visa; Mastercard, Maestro; Discover, UnionPay, Maestro; American Express; Diners; JCB."""
_LENGTHS = range(13, 20)


def find_cards_with_unusual_separators(text: str) -> Iterator[Span]:
    """Yield cards in runs of digit groups with any separators."""
    if _THIRTEEN_DIGITS.search(text):
        for run in _RUN.finditer(text):
            for start, end in _find_cards(text, run.start(), run.end()):
                yield start, end, "CARD"


def _find_cards(text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    groups = [group.span() for group in _DIGITS.finditer(text, low, high)]
    digits = "".join(text[start:end] for start, end in groups)
    sums = _LuhnSums(digits)
    offsets = [0, *accumulate(end - start for start, end in groups)]
    first = 0
    while first < len(groups):
        last = _find_last_card_group(text, groups, digits, offsets, sums, first)
        if last >= 0:
            yield groups[first][0], groups[last][1]
            first = last
        first += 1


def _find_last_card_group(
    text: str, groups: list[tuple[int, int]], digits: str, offsets: list[int], sums: _LuhnSums, first: int
) -> int:
    """Return the last group of the longest card that begins with group `first`, or -1."""
    begin = offsets[first]
    if digits[begin] not in "23456":
        return -1
    longest = -1
    for last in range(max(bisect_left(offsets, begin + _LENGTHS[0]) - 1, first + 1), len(groups)):
        length = offsets[last + 1] - begin
        if length > _LENGTHS[-1]:
            break
        if sums.is_valid(begin, begin + length):
            number = digits[begin : begin + length]
            if _ISSUER.fullmatch(number) and _is_grouped_like_a_card(text, groups[first : last + 1], length):
                longest = last
    return longest


def _is_grouped_like_a_card(text: str, groups: list[tuple[int, int]], length: int) -> bool:
    """Return whether the groups are single digits, eight pairs, or groups of three or more digits that are not a list.

    Groups of other sizes are accepted if the same space or dash separates all of them.
    """
    sizes = [end - start for start, end in groups]
    if max(sizes) <= 2:
        return max(sizes) == 1 or (length == 16 and min(sizes) == 2)
    between = {text[end:start] for (_, end), (start, _) in pairwise(groups)}
    if min(sizes[:-1]) < 3:
        return length == 16 and len(groups) <= 6 and between in ({" "}, {"-"}, {"_"})
    listed = not between.isdisjoint((", ", "; "))
    return not (listed and len({text[start : start + 2] for start, _ in groups}) == 1)


class _LuhnSums:
    """Luhn sums of all substrings of `digits`, from cumulative sums of the digits at odd and even positions."""

    def __init__(self, digits: str) -> None:
        plain, doubled = [0, 0], [0, 0]
        for digit in digits:
            plain.append(plain[-2] + int(digit))
            doubled.append(doubled[-2] + LUHN_DOUBLED[digit])
        self._plain, self._doubled = plain, doubled

    def is_valid(self, start: int, end: int) -> bool:
        """Return whether the Luhn sum of digits[start:end] is 0 modulo 10; the last digit is not doubled."""
        once, twice = self._plain, self._doubled
        odd = (end - start) % 2
        total = once[end + 1] - once[start + 1 - odd] + twice[end] - twice[start + odd]
        return total % 10 == 0


_IBAN_HEAD = re.compile(rf"([A-Za-z]){_BETWEEN}([A-Za-z]){_BETWEEN}[0-9]{_BETWEEN}[0-9](?={_BETWEEN}[A-Za-z0-9])")
_GLUED_HEAD = re.compile(rf"[0-9](?<=[A-Za-z][A-Za-z][A-Za-z][0-9]){_BETWEEN}[0-9](?={_BETWEEN}[A-Za-z0-9])")
_MORE = {length: re.compile(rf"(?:{_BETWEEN}[A-Za-z0-9]){{{length - 4}}}") for length in range(15, 35)}
_TEN_DIGITS = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){9}")
_SEPARATORS = re.compile(r"[\W_]+")


def find_ibans_with_unusual_separators(text: str) -> Iterator[Span]:
    """Yield IBANs with any separators between their characters, also directly next to letters."""
    if not _TEN_DIGITS.search(text):
        return
    heads = [(head.start(), head.end(), head[1] + head[2]) for head in _IBAN_HEAD.finditer(text)]
    heads += [
        (head.start() - 2, head.end(), text[head.start() - 2 : head.start()]) for head in _GLUED_HEAD.finditer(text)
    ]
    previous_end = 0
    for start, end, country in sorted(heads):
        pattern = _MORE.get(iban_length(country.upper())) if start >= previous_end else None
        rest = pattern.match(text, end) if pattern else None
        if rest and is_iban(_SEPARATORS.sub("", text[start : rest.end()])):
            yield start, rest.end(), "IBAN"
            previous_end = rest.end()


_WORDS = {
    digit: frozenset(words.split())
    for digit, words in {
        "0": "zero oh null zéro cero nul noll",
        "1": "one eins ein un une uno una één een ett",
        "2": "two zwei zwo deux dos due twee två",
        "3": "three drei trois tres tre drie",
        "4": "four vier quatre cuatro quattro fyra",
        "5": "five fünf fuenf cinq cinco cinque vijf fem",
        "6": "six sechs seis sei zes sex",
        "7": "seven sieben sept siete sette zeven sju",
        "8": "eight acht huit ocho otto åtta",
        "9": "nine neun neuf nueve nove negen nio",
    }.items()
}
DIGIT_BY_WORD = {word: digit for digit, words in _WORDS.items() for word in words} | {str(n): str(n) for n in range(10)}
DIGIT_WORDS = frozenset[str]().union(*_WORDS.values())
_TIMES = {"double": 2, "doppel": 2, "doble": 2, "doppio": 2, "dubbel": 2, "triple": 3, "treble": 3}
DIGIT_WORD = rf"(?:{'|'.join(sorted(DIGIT_WORDS, key=len, reverse=True))})"
_BETWEEN_WORDS = re.compile(r"[ ,;.\n/-]{1,3}")
_JOINING = frozenset(("and", "und", "et", "y", "e"))
_MIN_WORDS = 6
_TOKEN = re.compile(r"[^\W_]+")


def has_digit_words(text: str) -> bool:
    """Return whether at least three words of the text are digits in words."""
    lower = text.lower().replace(",", " ").replace("-", " ").replace(".", " ")
    words = lower.split()
    return not DIGIT_WORDS.isdisjoint(words) and sum(word in DIGIT_WORDS for word in words) > 2


def find_spelled_cards(text: str) -> Iterator[Span]:
    """Yield cards spelled in words of the supported languages: "four one one one", "double four"."""
    for tokens in _find_digit_word_runs(text):
        digits, ends, starts = convert_words_to_digits(tokens)
        sums = _LuhnSums(digits)
        position = 0
        while position < len(digits):
            length = next(
                (
                    length
                    for length in reversed(_LENGTHS)
                    if position + length <= len(digits)
                    and digits[position] in "3456"
                    and sums.is_valid(position, position + length)
                    and _ISSUER.fullmatch(digits, position, position + length)
                ),
                0,
            )
            if length:
                yield starts[position], ends[position + length - 1], "CARD"
            position += length or 1


def _find_digit_word_runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Yield runs of at least six digit words or single digits, in one pass over the words of the text."""
    run: list[re.Match[str]] = []
    end, joined = 0, False
    for token in _TOKEN.finditer(text):
        word = token[0].lower()
        follows = bool(run) and _BETWEEN_WORDS.fullmatch(text, end, token.start()) is not None
        if word in DIGIT_BY_WORD or word in _TIMES:
            if not follows:
                if len(run) >= _MIN_WORDS:
                    yield run
                run = []
            run.append(token)
            joined = False
        elif follows and not joined and word in _JOINING:
            joined = True
        else:
            if len(run) >= _MIN_WORDS:
                yield run
            run, joined = [], False
        end = token.end()
    if len(run) >= _MIN_WORDS:
        yield run


def convert_words_to_digits(tokens: list[re.Match[str]]) -> tuple[str, list[int], list[int]]:
    """Return the digits of digit words, and the end and start positions of the word of each digit."""
    digits: list[str] = []
    ends: list[int] = []
    starts: list[int] = []
    times, word_start = 1, -1
    for token in tokens:
        word = token[0].lower()
        if word in _TIMES:
            times, word_start = _TIMES[word], token.start()
        elif digit := DIGIT_BY_WORD.get(word):
            for _ in range(times):
                digits.append(digit)
                starts.append(word_start if word_start >= 0 else token.start())
                ends.append(token.end())
            times, word_start = 1, -1
    return "".join(digits), ends, starts
