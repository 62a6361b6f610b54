"""Checks of the labels themselves: too few intents or messages, no training rows, one label in two spellings."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data.row_issues import LabelledRow, RowIssue, groups_by_label
from training.data.splits import MIN_GROUPS, MIN_INTENTS

MIN_ROWS = 20
OUT_OF_SCOPE_SYNONYMS = {"oos", "ood", "outofscope", "outofdomain"}
"""Labels that other data sets use for messages that fit no intent, without spaces and punctuation."""

_SIGNS = re.compile(r"[\W_]+")


def check_label_counts(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Report labels that training refuses (errors) and labels with few rows (notes), at their first row.

    Rows without an intent are used for sentiment only, so there may be few of them.
    """
    first_rows = _find_first_rows(rows)
    row_counts = Counter(row.label for row in rows)
    trained_labels = {row.label for row in rows if row.example.part in ("train", None)}
    groups = groups_by_label(rows)
    if rows and not trained_labels:
        message = "belongs to test or validation rows, as all other rows: there are no training rows"
        yield RowIssue(rows[0].location, "error", "no_training_rows", message)
        trained_labels = set(first_rows)
    else:
        yield from _check_number_of_intents(rows, first_rows)
    for label, row in first_rows.items():
        group_count = len(groups.get(label, ()))
        if label is None or (label == OUT_OF_SCOPE and label not in trained_labels):
            continue
        if label not in trained_labels:
            message = f"{row.quoted_label} has no training rows: move rows to the training part, or leave the label out"
            yield RowIssue(row.location, "error", "untaught_label", message)
        elif group_count < MIN_GROUPS:
            message = (
                f"{row.quoted_label} has {group_count} different messages; "
                f"at least {MIN_GROUPS} are needed to train, calibrate and test it"
            )
            yield RowIssue(row.location, "error", "rare_label", message)
        elif row_counts[label] < MIN_ROWS:
            message = f"{row.quoted_label} has {row_counts[label]} rows; {MIN_ROWS} are few"
            yield RowIssue(row.location, "note", "small_intent", message)


def _check_number_of_intents(
    rows: Sequence[LabelledRow], first_rows: Mapping[str | None, LabelledRow]
) -> Iterator[RowIssue]:
    intents = [label for label in first_rows if label not in (None, OUT_OF_SCOPE)]
    if not rows or len(intents) >= MIN_INTENTS:
        return
    row = first_rows[intents[0]] if intents else rows[0]
    problem = f"has {row.quoted_label}, the only intent of all rows" if intents else "has no intent, as all other rows"
    yield RowIssue(row.location, "error", "one_intent", f"{problem}; at least {MIN_INTENTS} are needed")


def check_spellings(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Report labels that differ only in case, spaces and punctuation, and probable out-of-scope labels."""
    first_rows = _find_first_rows(rows)
    by_spelling: dict[str, list[LabelledRow]] = defaultdict(list)
    for label, row in first_rows.items():
        if label is not None and label != OUT_OF_SCOPE:
            by_spelling[_SIGNS.sub("", label.casefold())].append(row)
    for spelling, (earliest, *others) in by_spelling.items():
        if spelling in OUT_OF_SCOPE_SYNONYMS:
            message = (
                f"{earliest.quoted_label} may not be an intent; if it marks messages that fit no intent, use "
                f"--out-of-scope {earliest.label}"
            )
            yield RowIssue(earliest.location, "note", "out_of_scope_name", message)
        for other in others:
            message = (
                f"{other.quoted_label} differs from {earliest.quoted_label} of {earliest.location} only in case, "
                "spaces or punctuation"
            )
            yield RowIssue(other.location, "note", "label_spelling", message)


def _find_first_rows(rows: Sequence[LabelledRow]) -> dict[str | None, LabelledRow]:
    """The first row of each label, in reading order."""
    first_rows: dict[str | None, LabelledRow] = {}
    for row in rows:
        first_rows.setdefault(row.label, row)
    return first_rows
