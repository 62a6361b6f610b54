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
    first_rows = _find_first_rows(rows)
    row_counts = Counter(row.label for row in rows)
    trained_labels = {row.label for row in rows if row.example.part != "test"}
    groups = groups_by_label(rows)
    for label, row in first_rows.items():
        group_count = len(groups.get(label, ()))
        if label not in trained_labels and trained_labels:
            yield RowIssue(
                row.location, "note", "untaught_label", f"{row.quoted_label} is in test rows alone: nothing teaches it"
            )
        elif group_count < MIN_GROUPS:
            message = (
                f"{row.quoted_label} has {group_count} different messages; "
                f"at least {MIN_GROUPS} are needed to train, calibrate and test it"
            )
            yield RowIssue(row.location, "error", "rare_label", message)
        elif label is not None and row_counts[label] < MIN_ROWS:
            message = f"{row.quoted_label} has {row_counts[label]} rows; {MIN_ROWS} are few"
            yield RowIssue(row.location, "note", "small_intent", message)


def check_spellings(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Labels that differ in case, blanks and signs alone, and intents that look like another name of out of scope."""
    first_rows = _find_first_rows(rows)
    by_spelling: dict[str, list[LabelledRow]] = defaultdict(list)
    for label, row in first_rows.items():
        if label is not None and label != OUT_OF_SCOPE:
            by_spelling[_SIGNS.sub("", label.casefold())].append(row)
    for spelling, (earliest, *others) in by_spelling.items():
        if spelling in OUT_OF_SCOPE_SYNONYMS:
            message = f"{earliest.quoted_label} looks like no intent; if it marks what fits none: --out-of-scope {earliest.label}"
            yield RowIssue(earliest.location, "note", "out_of_scope_name", message)
        for other in others:
            message = f"{other.quoted_label} differs from {earliest.quoted_label} of {earliest.location} in case, blanks or signs alone"
            yield RowIssue(other.location, "note", "label_spelling", message)


def _find_first_rows(rows: Sequence[LabelledRow]) -> dict[str | None, LabelledRow]:
    """label -> its first row, in reading order."""
    first_rows: dict[str | None, LabelledRow] = {}
    for row in rows:
        first_rows.setdefault(row.label, row)
    return first_rows
