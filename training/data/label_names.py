"""What is odd about the labels themselves: too few messages, none to learn from, one label in two spellings.

Knows nothing of texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data.row_issues import LabelledRow, RowIssue, groups_by_label
from training.data.splits import MIN_GROUPS

MIN_ROWS = 20
OUT_OF_SCOPE_SYNONYMS = {"oos", "ood", "outofscope", "outofdomain"}
"""What other data sets call messages that fit no intent, without blanks and signs."""

_SIGNS = re.compile(r"[\W_]+")


def check_label_counts(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Labels that cannot be trained, calibrated and tested (errors), and those with few rows; at their first row."""
    first = _first_of_each(rows)
    counted = Counter(row.label for row in rows)
    taught = {row.label for row in rows if row.example.part != "test"}
    groups = groups_by_label(rows)
    for label, row in first.items():
        messages = len(groups.get(label, ()))
        if label not in taught and taught:
            yield RowIssue(
                row.location, "note", "untaught_label", f"{row.quoted_label} is in test rows alone: nothing teaches it"
            )
        elif messages < MIN_GROUPS:
            message = (
                f"{row.quoted_label} has {messages} different messages; "
                f"at least {MIN_GROUPS} are needed to train, calibrate and test it"
            )
            yield RowIssue(row.location, "error", "rare_label", message)
        elif label is not None and counted[label] < MIN_ROWS:
            message = f"{row.quoted_label} has {counted[label]} rows; {MIN_ROWS} are few"
            yield RowIssue(row.location, "note", "small_intent", message)


def check_spellings(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Labels that differ in case, blanks and signs alone, and intents that look like another name of out of scope."""
    first = _first_of_each(rows)
    alike: dict[str, list[LabelledRow]] = defaultdict(list)
    for label, row in first.items():
        if label is not None and label != OUT_OF_SCOPE:
            alike[_SIGNS.sub("", label.casefold())].append(row)
    for plain, (earliest, *others) in alike.items():
        if plain in OUT_OF_SCOPE_SYNONYMS:
            message = f"{earliest.quoted_label} looks like no intent; if it marks what fits none: --out-of-scope {earliest.label}"
            yield RowIssue(earliest.location, "note", "out_of_scope_name", message)
        for other in others:
            message = f"{other.quoted_label} differs from {earliest.quoted_label} of {earliest.location} in case, blanks or signs alone"
            yield RowIssue(other.location, "note", "label_spelling", message)


def _first_of_each(rows: Sequence[LabelledRow]) -> dict[str | None, LabelledRow]:
    """label -> its first row, in reading order."""
    first: dict[str | None, LabelledRow] = {}
    for row in rows:
        first.setdefault(row.label, row)
    return first
