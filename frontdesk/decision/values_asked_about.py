"""Which of several values of a kind a message asks about: "[ORDER_1] arrived. Where is [ORDER_2]?" -> [ORDER_2].

A value is settled if a clause says that it arrived, was received, was refunded or is fine. It is rejected if the
customer takes it back: "not [ORDER_1]", "instead of [ORDER_1]", "ignore that one". Questions, negations, problems and
expectations in the clause keep a value open: "should have arrived", "arrived broken". Words are lists of English,
German, French, Spanish, Italian, Dutch, Portuguese and Polish (`values_asked_about_words.py`). Pure; time is linear in
the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from frontdesk.decision import values_asked_about_words as words
from frontdesk.decision.phrases import fold_text

MAX_MENTIONS = 30
"""Most mentions that are evaluated. A longer list of values is returned as it is, which bounds the time."""

_CONTEXT = 60
"""Characters before a value in which a word may reject or confirm it."""
_MARK = "\0{}\0"
"""Replaces a value in the text: its number between NULs."""
_MARKED = re.compile(r"\0(\d+)\0")
_MARKED_END = re.compile(r"\0\d{1,5}\0 ?\Z")
_SENTENCE_END = re.compile(r"[!?;\n]+|\.(?=\s|\Z)")


@dataclass(slots=True)
class _Mentions:
    """What the clauses so far say about each value, by its number."""

    settled: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    rejected: set[int] = field(default_factory=set)


def values_asked_about(text: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the different matches of `pattern` that `text` asks about, in order.

    All are returned if every one is settled, and a single one unless it is rejected. Values that stay equally likely
    are all returned: the caller names all of them or none.
    """
    text = text.replace("\0", " ")
    matches = [match[0] for match in pattern.finditer(text)]
    values = tuple(dict.fromkeys(matches))
    if not values:
        return ()
    if len(matches) > MAX_MENTIONS:
        return values
    marks = {value: _MARK.format(number) for number, value in enumerate(values)}
    marked = fold_text(pattern.sub(lambda match: marks[match[0]], text))
    marked = words.NUMBER_ABBREVIATION.sub("number ", marked)
    if len(values) == 1:
        return () if all(_is_rejected(marked, match.start()) for match in _MARKED.finditer(marked)) else values
    mentions = _Mentions()
    _evaluate(marked, len(values), mentions)
    meant = [number for number in range(len(values)) if number not in mentions.rejected]
    unsettled = [number for number in meant if number not in mentions.settled or number in mentions.open]
    return tuple(values[number] for number in unsettled or meant)


def _evaluate(marked: str, count: int, mentions: _Mentions) -> None:
    start, last = 0, list[int]()
    for end in _SENTENCE_END.finditer(marked):
        last = _evaluate_sentence(marked[start : end.start()], "?" in end[0], last, count, mentions)
        start = end.end()
    _evaluate_sentence(marked[start:], False, last, count, mentions)


def _evaluate_sentence(sentence: str, is_question: bool, last: list[int], count: int, mentions: _Mentions) -> list[int]:
    """Evaluate the clauses of a sentence. `last` are the values of the sentence before; returns those of this one."""
    if "\0" not in sentence and not words.REFERS_BACK.search(sentence):
        return last
    clauses = _split_clauses(sentence)
    current = last if words.PRONOUN_START.match(sentence) else []
    was_settled = pending_settled = False
    for number, (start, end) in enumerate(clauses):
        clause = sentence[start:end]
        own = list(dict.fromkeys(int(value) for value in _MARKED.findall(clause)))
        _find_rejected(sentence, (start, end), own, current or last, was_settled, mentions)
        subjects = own or _named_by_position(clause, count) or current
        if not own and words.DISMISSED.search(clause):
            mentions.rejected.update(subjects or last)
            continue
        ends_as_question = is_question and number == len(clauses) - 1
        is_resolved = words.RESOLVED.search(clause) and not words.NEGATION.search(clause)
        is_open = ends_as_question or (not is_resolved and bool(words.OPEN.search(clause)))
        is_settled = not is_open and bool(is_resolved or words.SETTLED.search(clause))
        if own and pending_settled and words.ONLY_A_VALUE.fullmatch(clause):
            is_settled = True  # "I received the first one, order 1, but ..."
        if is_open:
            mentions.open.update(set(subjects) - mentions.rejected)
        elif is_settled:
            mentions.settled.update(subjects)
        pending_settled = is_settled and not subjects
        was_settled = is_settled
        current = subjects
    return current or last


def _split_clauses(sentence: str) -> list[tuple[int, int]]:
    """Return the spans of the clauses. Commas and conjunctions end one, but not within a list ("1, 2 and 3")."""
    cuts = [0]
    for boundary in words.CLAUSE_BOUNDARY.finditer(sentence):
        before = _MARKED_END.search(sentence, max(0, boundary.start() - 8), boundary.start())
        is_list = before is not None and words.LIST_CONTINUES.match(sentence, boundary.start())
        if not is_list:
            cuts.append(boundary.end())
    return list(zip(cuts, [*cuts[1:], len(sentence)], strict=True))


def _is_rejected(marked: str, position: int) -> bool:
    before = marked[max(0, position - _CONTEXT) : position]
    return bool(words.REJECTED.search(before) or words.INSTEAD.search(before))


def _find_rejected(
    sentence: str, span: tuple[int, int], own: list[int], earlier: list[int], was_settled: bool, mentions: _Mentions
) -> None:
    """Find values in a clause that are taken back, or that replace an earlier one."""
    clause = sentence[slice(*span)]
    for match in _MARKED.finditer(sentence, *span):
        number = int(match[1])
        before = sentence[max(0, match.start() - _CONTEXT) : match.start()]
        if words.INSTEAD.search(before):
            others = [other for other in own if other != number]
            if words.MISTAKEN.search(clause):
                mentions.rejected.update(others)  # "I wrote 1 instead of 2": 2 is right
            elif not words.WRONG_ITEM.search(clause):
                mentions.rejected.add(number)
        elif words.REJECTED.search(before):
            if was_settled:
                mentions.open.add(number)  # "I got 1 but not 2"
            else:
                mentions.rejected.add(number)
        elif words.MEANT.search(before):
            mentions.rejected.update(other for other in earlier if other != number)


def _named_by_position(clause: str, count: int) -> list[int]:
    if words.BOTH.search(clause):
        return list(range(count))
    if count == 2 and (ordinal := words.ORDINAL.search(clause)):
        return [0 if ordinal["first"] else 1]
    return []
