"""What is odd about the labels themselves: too few messages, none to learn from, one label in two spellings.

Knows nothing of texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data.row_issues import Complaint, Labelled, groups_of
from training.data.splits import FEWEST_GROUPS

FEWEST_ROWS = 20
OUT_OF_SCOPE_ELSEWHERE = {"oos", "ood", "outofscope", "outofdomain"}
"""What other data sets call messages that fit no intent, without blanks and signs."""

_SIGNS = re.compile(r"[\W_]+")


def rare_labels(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Labels that cannot be trained, calibrated and tested (errors), and those with few rows; at their first row."""
    first = _first_of_each(rows)
    counted = Counter(row.label for row in rows)
    taught = {row.label for row in rows if row.example.part != "test"}
    groups = groups_of(rows)
    for label, row in first.items():
        messages = len(groups.get(label, ()))
        if label not in taught and taught:
            yield Complaint(
                row.place, "note", "untaught_label", f"{row.named} is in test rows alone: nothing teaches it"
            )
        elif messages < FEWEST_GROUPS:
            told = (
                f"{row.named} has {messages} different messages; "
                f"at least {FEWEST_GROUPS} are needed to train, calibrate and test it"
            )
            yield Complaint(row.place, "error", "rare_label", told)
        elif label is not None and counted[label] < FEWEST_ROWS:
            told = f"{row.named} has {counted[label]} rows; {FEWEST_ROWS} are few"
            yield Complaint(row.place, "note", "small_intent", told)


def spellings(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Labels that differ in case, blanks and signs alone, and intents that look like another name of out of scope."""
    first = _first_of_each(rows)
    alike: dict[str, list[Labelled]] = defaultdict(list)
    for label, row in first.items():
        if label is not None and label != OUT_OF_SCOPE:
            alike[_SIGNS.sub("", label.casefold())].append(row)
    for plain, (earliest, *others) in alike.items():
        if plain in OUT_OF_SCOPE_ELSEWHERE:
            told = f"{earliest.named} looks like no intent; if it marks what fits none: --out-of-scope {earliest.label}"
            yield Complaint(earliest.place, "note", "out_of_scope_name", told)
        for other in others:
            told = f"{other.named} differs from {earliest.named} of {earliest.place} in case, blanks or signs alone"
            yield Complaint(other.place, "note", "label_spelling", told)


def _first_of_each(rows: Sequence[Labelled]) -> dict[str | None, Labelled]:
    """label -> its first row, in reading order."""
    first: dict[str | None, Labelled] = {}
    for row in rows:
        first.setdefault(row.label, row)
    return first
