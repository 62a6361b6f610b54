"""What is wrong, or worth a look, in labelled messages before they are trained on: each complaint by file and line.

An `error` is what a training run refuses; everything else is a `note`. Complaints name places and labels, never the
words of a message. Knows nothing of the taxonomy: an intent without a policy is for `frontdesk doctor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from training.data.examples import Example, Place
from training.data.label_errors import doubted_labels
from training.data.label_names import rare_labels, spellings
from training.data.mojibake import mojibake
from training.data.near_duplicates import near_duplicates
from training.data.row_issues import Complaint, Labelled

LONG_TEXT = 1000


def check(
    found: Iterable[tuple[Place, Example | str]], tell: Callable[[str], None] = lambda _: None
) -> list[Complaint]:
    """Every complaint about rows as `read_rows` gives them, errors first, each kind in reading order.

    Args:
        tell: is told what is being done; a minute may pass on tens of thousands of rows.
    """
    rows: list[Labelled] = []
    complaints: list[Complaint] = []
    order: dict[Place, int] = {}
    tell("reading")
    for place, row in found:
        order[place] = len(order)
        if isinstance(row, str):
            complaints.append(Complaint(place, "error", "unreadable", row))
        else:
            rows.append(Labelled(place, row))
    tell("looking for repeated messages")
    for rule in (rare_labels, spellings, _mixed_groups, _odd_texts, _repeated):
        complaints.extend(rule(rows))
    tell(f"comparing {len(rows)} messages with each other")
    complaints.extend(near_duplicates(rows))
    complaints.extend(doubted_labels(rows, tell))
    return sorted(complaints, key=lambda complaint: (complaint.kind, order[complaint.place]))


def _mixed_groups(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    first: dict[str, Labelled] = {}
    told: set[str] = set()
    for row in rows:
        group = row.example.group
        other = first.setdefault(group, row)
        if other.label != row.label and group not in told:
            told.add(group)
            wrong = f"is in one group with {other.place}, but has {row.named} where that has {other.named}"
            yield Complaint(row.place, "note", "mixed_group", wrong)


def _odd_texts(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    for row in rows:
        if len(row.example.text) > LONG_TEXT:
            yield Complaint(row.place, "note", "long_text", f"has {len(row.example.text)} characters")
        if wrong := mojibake(row.example.text):
            yield Complaint(row.place, "note", "mojibake", wrong)


def _repeated(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Rows that say what an earlier one says: with other labels, in another part of the split, or just again."""
    first: dict[str, Labelled] = {}
    for row in rows:
        earlier = first.setdefault(row.normalised, row)
        if earlier is row:
            continue
        same = f"says the same as {earlier.place}"
        sentiment, other_sentiment = row.example.sentiment, earlier.example.sentiment
        if row.label != earlier.label:
            told = f"{same}, but has {row.named} where that has {earlier.named}"
            yield Complaint(row.place, "note", "two_labels", told)
        elif sentiment != other_sentiment:
            told = f"{same}, but has sentiment {sentiment} where that has {other_sentiment}"
            yield Complaint(row.place, "note", "two_labels", told)
        if row.leaks_into(earlier):
            told = f"{same}, but is in {row.example.part} rows where that is in {earlier.example.part} rows"
            yield Complaint(row.place, "note", "leak", told)
        elif row.label == earlier.label and sentiment == other_sentiment:
            yield Complaint(row.place, "note", "duplicate", same)
