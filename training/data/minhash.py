"""Near-duplicate messages: candidates by MinHash with banding (Broder 1997), decided by their exact similarity.

The running time is linear in the number of rows. Memory: 256 bytes of signature for each row, and buckets only for
bands that two rows share. Shingles are computed again for each comparison.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.data.row_issues import LabelledRow, RowIssue

MIN_SIMILARITY = 0.8
"""Jaccard similarity of the character 5-grams from which two messages are near-duplicates."""

_SHINGLE = 5
_BANDS, _ROWS_PER_BAND = 16, 4  # finds 99.98 % of pairs at 0.8 (Leskovec et al., Mining of Massive Datasets, 3.4)
_MAX_BUCKET_ROWS = 16  # limits the comparisons for rows that were generated from one template
_MIN_ESTIMATE = 0.6  # of the similarity; the estimate of 64 hashes for a pair at 0.8 is lower once in 30,000 pairs
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, from the golden ratio (Knuth, The Art of Computer Programming, 6.4)

Shingles = frozenset[int]


def find_near_duplicates(rows: Sequence[LabelledRow]) -> Iterator[RowIssue]:
    """Report each row that is similar to an earlier row of another group or of another part of the data's own split.

    A row that is reported as a near-duplicate within its own part is not indexed: later rows are compared with the
    earlier row only.
    """
    unique = list({row.normalised_text: row for row in reversed(rows)}.items())[::-1]
    signatures = _signatures([text for text, _ in unique])
    keys, shared = _bands(signatures)
    buckets: dict[str | None, dict[int, list[int]]] = {row.example.part: defaultdict(list) for row in rows}
    for number, (text, row) in enumerate(unique):
        bands = keys[number][shared[number]].tolist()
        bucket_rows = {other for bucket in buckets.values() for key in bands for other in bucket.get(key, ())}
        candidates = np.array(sorted(bucket_rows), dtype=np.intp)
        estimated = (signatures[candidates] == signatures[number]).mean(axis=1)
        similarities = {
            unique[other][1]: similarity
            for other in candidates[estimated >= _MIN_ESTIMATE]
            if _is_reportable_duplicate(row, unique[other][1])
            and (similarity := _similarity(text, unique[other][0])) >= MIN_SIMILARITY
        }
        leaking = [earlier for earlier in similarities if row.leaks_into(earlier)]
        for earlier in (leaking or list(similarities))[:1]:
            yield _describe_near_duplicate(row, earlier, similarities[earlier])
        if leaking or not similarities:
            for key in bands:
                if len(bucket := buckets[row.example.part][key]) < _MAX_BUCKET_ROWS:
                    bucket.append(number)


def _is_reportable_duplicate(row: LabelledRow, earlier: LabelledRow) -> bool:
    return earlier.example.group != row.example.group or row.leaks_into(earlier)


def _describe_near_duplicate(row: LabelledRow, earlier: LabelledRow, similarity: float) -> RowIssue:
    labels = "" if earlier.label == row.label else f" ({row.quoted_label} here, {earlier.quoted_label} there)"
    prefix = f"is nearly {earlier.location} ({similarity:.0%} alike), but in"
    if row.leaks_into(earlier):
        message = f"{prefix} {row.example.part} rows where that is in {earlier.example.part} rows{labels}"
        return RowIssue(row.location, "note", "leak", message)
    return RowIssue(row.location, "note", "near_duplicate", f"{prefix} another group{labels}")


def _similarity(text: str, other: str) -> float:
    """Jaccard similarity of the shingles of two texts."""
    first, second = _shingles(text), _shingles(other)
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


@lru_cache(maxsize=1024)
def _shingles(text: str) -> Shingles:
    return frozenset(
        zlib.crc32(text[start : start + _SHINGLE].encode()) for start in range(max(1, len(text) - _SHINGLE + 1))
    )


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """(texts, 64) MinHash signatures: the minimum of each multiply-shift hash (Dietzfelbinger et al. 1997)."""
    generator = np.random.default_rng(13)
    size = (_BANDS * _ROWS_PER_BAND, 1)
    factors = generator.integers(1, 2**63, size=size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = generator.integers(0, 2**63, size=size, dtype=np.uint64)
    signatures = np.empty((len(texts), _BANDS * _ROWS_PER_BAND), dtype=np.uint32)
    for number, text in enumerate(texts):
        shingles = _shingles(text)
        values = np.fromiter(shingles, dtype=np.uint64, count=len(shingles))
        signatures[number] = ((values * factors + offsets) >> np.uint64(32)).min(axis=1)
    return signatures


def _bands(signatures: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the (rows, bands) keys of the bands, and whether another row has the same key."""
    keys = np.zeros((len(signatures), _BANDS), dtype=np.uint64)
    shared = np.zeros(keys.shape, dtype=np.bool_)
    for band in range(_BANDS):
        key = np.full(len(signatures), band, dtype=np.uint64)
        for column in range(band * _ROWS_PER_BAND, (band + 1) * _ROWS_PER_BAND):
            key = key * _MIX + signatures[:, column]
        _, positions, counts = np.unique(key, return_inverse=True, return_counts=True)
        keys[:, band], shared[:, band] = key, counts[positions] > 1
    return keys, shared
