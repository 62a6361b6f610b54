"""Checks of labelled messages before training. Each issue has the file and line of its row.

An `error` is a row or label that a training run rejects; everything else is a `note`. Issues contain locations and
labels, never the text of a message. Intents without a policy are reported by `frontdesk doctor`, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from training.data.encoding_damage import describe_mojibake
from training.data.examples import Example, RemarkCounts, RowLocation, RowRemark, RowResult
from training.data.label_errors import find_label_errors
from training.data.label_names import check_label_counts, check_spellings
from training.data.minhash import find_near_duplicates
from training.data.row_issues import LabelledRow, RowIssue

LONG_TEXT = 1000


def find_row_issues(
    located_rows: Iterable[tuple[RowLocation, RowResult]], on_progress: Callable[[str], None] = lambda _: None
) -> list[RowIssue]:
    """List all issues, errors first, each kind in reading order.

    Args:
        located_rows: the rows as `read_rows` returns them.
        on_progress: called with the name of each step; tens of thousands of rows can take a minute.
    """
    rows: list[LabelledRow] = []
    issues: list[RowIssue] = []
    remarks = RemarkCounts()
    order: dict[RowLocation, int] = {}
    on_progress("reading")
    for location, row in located_rows:
        order.setdefault(location, len(order))
        if isinstance(row, Example):
            rows.append(LabelledRow(location, row))
        elif isinstance(row, RowRemark):
            remarks.add(location, row)
        else:
            issues.append(RowIssue(location, "error", "unreadable", row))
    issues.extend(RowIssue(location, "note", "unused", message) for location, message in remarks.summarize())
    if order and not rows and not any(issue.kind == "error" for issue in issues):
        message = "is the first of rows that cannot be used: no row has a message and a label"
        issues.append(RowIssue(next(iter(order)), "error", "no_usable_rows", message))
    on_progress("looking for repeated messages")
    for rule in (check_label_counts, check_spellings, _find_mixed_groups, _find_odd_texts, _find_repeated_rows):
        issues.extend(rule(rows))
    on_progress(f"comparing {len(rows)} messages with each other")
    issues.extend(find_near_duplicates(rows))
    issues.extend(find_label_errors(rows, on_progress))
    return sorted(issues, key=lambda issue: (issue.kind, order[issue.location]))


def _find_mixed_groups(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    first: dict[str, LabelledRow] = {}
    reported: set[str] = set()
    for row in rows:
        group = row.example.group
        other = first.setdefault(group, row)
        if other.label != row.label and other.location != row.location and group not in reported:
            reported.add(group)
            message = (
                f"is in one group with {other.location}, but has {row.quoted_label} where that has {other.quoted_label}"
            )
            yield RowIssue(row.location, "note", "mixed_group", message)


def _find_odd_texts(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    for row in rows:
        if len(row.example.text) > LONG_TEXT:
            yield RowIssue(row.location, "note", "long_text", f"has {len(row.example.text)} characters")
        if problem := describe_mojibake(row.example.text):
            yield RowIssue(row.location, "note", "mojibake", problem)


def _find_repeated_rows(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Rows with the text of an earlier row: with other labels, in another part of the split, or plain duplicates."""
    first: dict[str, LabelledRow] = {}
    for row in rows:
        earlier = first.setdefault(row.normalised_text, row)
        if earlier.location == row.location:  # another label of one message
            continue
        same = f"says the same as {earlier.location}"
        sentiment, other_sentiment = row.example.sentiment, earlier.example.sentiment
        if row.label != earlier.label:
            message = f"{same}, but has {row.quoted_label} where that has {earlier.quoted_label}"
            yield RowIssue(row.location, "note", "two_labels", message)
        elif sentiment != other_sentiment:
            message = f"{same}, but has sentiment {sentiment} where that has {other_sentiment}"
            yield RowIssue(row.location, "note", "two_labels", message)
        if row.leaks_into(earlier):
            message = f"{same}, but is in {row.example.part} rows where that is in {earlier.example.part} rows"
            yield RowIssue(row.location, "note", "leak", message)
        elif row.label == earlier.label and sentiment == other_sentiment:
            yield RowIssue(row.location, "note", "duplicate", same)
