"""What is wrong, or worth a look, in labelled messages before they are trained on: each complaint by file and line.

An `error` is what a training run refuses; everything else is a `note`. Complaints name places and labels, never the
words of a message. Knows nothing of the taxonomy: an intent without a policy is for `frontdesk doctor`.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from frontdesk.errors import DataError
from frontdesk.features.text import Vectoriser
from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data import Example, Place
from training.members import sparse_matrix
from training.splits import folds

FEWEST_ROWS = 20
LONG_TEXT = 1000
ALIKE = 0.8
"""Jaccard similarity of two messages' character 5-grams from which they are near-duplicates."""
DOUBTED_BELOW, PREFERRED_ABOVE = 0.02, 0.8
DOUBT_FOLDS = 3

_SHINGLE = 5
_BANDS, _ROWS_PER_BAND = 16, 4  # finds 99.98 % of pairs at 0.8 (Leskovec et al., Mining of Massive Datasets, 3.4)
_BUCKET = 16  # messages of one bucket that are compared: bounds the work on rows made from one template
_WORTH_COUNTING = 0.6  # estimated similarity; 64 hashes put a pair at 0.8 below it once in 30,000
_NUMBERED = re.compile(r"\[([A-Z]+)_\d+\]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """`rule` is a stable name for machines, `told` a sentence for people."""

    place: Place
    kind: Literal["error", "note"]
    rule: str
    told: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """An example and where it stands."""

    place: Place
    example: Example

    @property
    def label(self) -> str | None:
        return OUT_OF_SCOPE if self.example.out_of_scope else self.example.intent

    @property
    def normalised(self) -> str:
        """The text without case, runs of blanks and the numbers of placeholders: equal for two that say the same."""
        return " ".join(_NUMBERED.sub(r"[\1]", self.example.text).lower().split())


def check(found: Iterable[tuple[Place, Example | str]]) -> list[Complaint]:
    """Every complaint about rows as `training.data.read_rows` gives them, errors first, each kind in reading order."""
    rows: list[Labelled] = []
    complaints: list[Complaint] = []
    order: dict[Place, int] = {}
    for place, row in found:
        order[place] = len(order)
        if isinstance(row, str):
            complaints.append(Complaint(place, "error", "unreadable", row))
        else:
            rows.append(Labelled(place, row))
    for rule in (_small_intents, _mixed_groups, _long_texts, _repeated, _near_duplicates):
        complaints.extend(rule(rows))
    complaints.extend(_doubted(rows))
    return sorted(complaints, key=lambda complaint: (complaint.kind, order[complaint.place]))


def _small_intents(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    counted = Counter(row.label for row in rows if row.label is not None)
    first = {row.label: row.place for row in reversed(rows)}
    for label, count in counted.items():
        if count < FEWEST_ROWS:
            yield Complaint(first[label], "note", "small_intent", f"'{label}' has {count} rows; {FEWEST_ROWS} are few")


def _mixed_groups(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    first: dict[str, Labelled] = {}
    told: set[str] = set()
    for row in rows:
        group = row.example.group
        other = first.setdefault(group, row)
        if other.label != row.label and group not in told:
            told.add(group)
            yield Complaint(
                row.place,
                "note",
                "mixed_group",
                f"is in one group with {other.place}, but has {_named(row)} where that has {_named(other)}",
            )


def _long_texts(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    for row in rows:
        if len(row.example.text) > LONG_TEXT:
            yield Complaint(row.place, "note", "long_text", f"has {len(row.example.text)} characters")


def _repeated(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Rows that say what an earlier one says: with the same labels, or with others."""
    first: dict[str, Labelled] = {}
    for row in rows:
        earlier = first.setdefault(row.normalised, row)
        if earlier is row:
            continue
        if row.label != earlier.label:
            told = f"says the same as {earlier.place}, but has {_named(row)} where that has {_named(earlier)}"
            yield Complaint(row.place, "note", "two_labels", told)
        elif row.example.sentiment != earlier.example.sentiment:
            told = (
                f"says the same as {earlier.place}, but has sentiment {row.example.sentiment} "
                f"where that has {earlier.example.sentiment}"
            )
            yield Complaint(row.place, "note", "two_labels", told)
        else:
            yield Complaint(row.place, "note", "duplicate", f"says the same as {earlier.place}")


def _near_duplicates(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Each row that is alike to an earlier one of another group, which a split would put on both sides.

    MinHash with banding (Broder 1997) proposes, the exact Jaccard similarity decides. A row that was reported is not
    compared with later ones: the earlier one stands for it.
    """
    unique = list({row.normalised: row for row in reversed(rows)}.items())[::-1]
    shingles = [_shingles(text) for text, _ in unique]
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    signatures = np.array(list(_signatures(shingles)))
    for number, (signature, (_, row)) in enumerate(zip(signatures, unique, strict=True)):
        keys = [(band, part.tobytes()) for band, part in enumerate(signature.reshape(_BANDS, _ROWS_PER_BAND))]
        candidates = np.array(sorted({other for key in keys for other in buckets[key]}), dtype=np.intp)
        estimated = (signatures[candidates] == signature).mean(axis=1)
        for other in candidates[estimated >= _WORTH_COUNTING]:
            earlier = unique[other][1]
            if earlier.example.group == row.example.group:
                continue
            shared = len(shingles[number] & shingles[other])
            alike = shared / (len(shingles[number]) + len(shingles[other]) - shared)
            if alike >= ALIKE:
                labels = "" if earlier.label == row.label else f" ({_named(row)} here, {_named(earlier)} there)"
                told = f"is nearly {earlier.place} ({alike:.0%} alike), but in another group{labels}"
                yield Complaint(row.place, "note", "near_duplicate", told)
                break
        else:
            for key in keys:
                if len(buckets[key]) < _BUCKET:
                    buckets[key].append(number)


def _shingles(text: str) -> frozenset[int]:
    return frozenset(
        zlib.crc32(text[start : start + _SHINGLE].encode()) for start in range(max(1, len(text) - _SHINGLE + 1))
    )


def _signatures(shingles: Sequence[frozenset[int]]) -> Iterator[NDArray[np.uint64]]:
    """The MinHash signature of each set: the least of every multiply-shift hash (Dietzfelbinger et al. 1997)."""
    generator = np.random.default_rng(13)
    size = (_BANDS * _ROWS_PER_BAND, 1)
    factors = generator.integers(1, 2**63, size=size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = generator.integers(0, 2**63, size=size, dtype=np.uint64)
    for found in shingles:
        values = np.fromiter(found, dtype=np.uint64, count=len(found))
        yield ((values * factors + offsets) >> np.uint64(32)).min(axis=1)


def _doubted(rows: Sequence[Labelled]) -> Iterator[Complaint]:
    """Rows whose label a model that has not seen them all but rules out, being sure of another one.

    In the manner of confident learning (Northcutt et al. 2021). Where a training run could not split the rows, that is
    the complaint: an error at the first row.
    """
    if not rows:
        return
    known = [row for row in rows if row.label is not None]
    try:
        fold_of = folds([row.example for row in rows], DOUBT_FOLDS, seed=13)
    except DataError as error:
        told = f"{error.message} {error.hint}"
        yield Complaint(rows[0].place, "error", "too_few_groups", told)
        return
    labels = np.array([row.label for row in known])
    if len(set(labels)) < 2:
        return
    fold_of = fold_of[[number for number, row in enumerate(rows) if row.label is not None]]
    for fold in range(DOUBT_FOLDS):
        seen, unseen = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        vectoriser = Vectoriser.fit([known[number].example.text for number in seen])
        features = sparse_matrix([vectoriser.terms(row.example.text) for row in known], vectoriser.size)
        # A looser tolerance stops so early that 31 starter rows are doubted instead of 7, and none of banking77.
        model = LogisticRegression(C=10.0, tol=1e-3, max_iter=100).fit(features[seen], labels[seen])
        column = {label: number for number, label in enumerate(model.classes_)}
        for number, probabilities in zip(unseen, model.predict_proba(features[unseen]), strict=True):
            own, best = column.get(labels[number]), int(probabilities.argmax())
            if own is None or probabilities[own] >= DOUBTED_BELOW or probabilities[best] <= PREFERRED_ABOVE:
                continue
            told = (
                f"has '{labels[number]}', which a model that has not seen the row gives "
                f"{probabilities[own]:.1%}; it gives '{model.classes_[best]}' {probabilities[best]:.0%}"
            )
            yield Complaint(known[number].place, "note", "doubted_label", told)


def _named(row: Labelled) -> str:
    return "no intent" if row.label is None else f"'{row.label}'"
