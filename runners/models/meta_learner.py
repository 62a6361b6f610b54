"""The LightGBM meta-learner as a candidate scorer: the probability of each label that a member considers likely.

The candidates of a text are the union of each member's `top` best labels. There is one row per candidate, with its
probability, rank and margin for every member, the agreement and entropy of the members, and the text statistics. One
binary booster predicts whether the candidate is right. It is small even for 150 labels and learns from little data. The
rest of the candidates' probabilities to 1 is the probability that the text is out of scope. (Stacked generalisation:
Wolpert 1992.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.scores import Floats
from frontdesk.verified_files import ReadableFile
from runners.models.onnx_session import open_session


@dataclass(frozen=True, slots=True)
class CandidateRows:
    """Input of the booster: `rows` (candidates, columns) float32, and the `text` and `label` index of each row."""

    rows: Floats
    text: NDArray[np.intp]
    label: NDArray[np.intp]


def build_candidate_rows(members: Floats, statistics: Floats, top: int) -> CandidateRows:
    """Build the candidate rows.

    Args:
        members: (members, texts, labels) probabilities.
        statistics: (texts, statistics) of the texts themselves.
        top: number of labels of each member that are candidates.
    """
    ranks = np.argsort(np.argsort(-members, axis=2, kind="stable"), axis=2, kind="stable")
    text, label = np.nonzero((ranks < top).any(axis=0))
    best = np.sort(members, axis=2)
    highest = np.broadcast_to(best[:, :, -1:], members.shape)
    runner_up = np.broadcast_to(best[:, :, -2:-1], members.shape)
    margins = members - np.where(ranks == 0, runner_up, highest)
    mean = members.mean(axis=0)
    entropy = -(members * np.log(np.clip(members, 1e-12, 1.0))).sum(axis=2)
    agreement = -(mean * np.log(np.clip(mean, 1e-12, 1.0))).sum(axis=1) - entropy.mean(axis=0)
    best_mean = np.sort(mean, axis=1)
    mean_margin = mean - np.where(mean == best_mean[:, -1:], best_mean[:, -2:-1], best_mean[:, -1:])
    of_candidate = members[:, text, label]
    columns = [
        *of_candidate,
        *ranks[:, text, label],
        *margins[:, text, label],
        of_candidate.mean(axis=0),
        of_candidate.min(axis=0),
        of_candidate.max(axis=0),
        of_candidate.std(axis=0),
        mean_margin[text, label],
        (ranks[:, text, label] == 0).sum(axis=0),
        *entropy[:, text],
        agreement[text],
        best_mean[text, -1],
        *statistics[text].T,
    ]
    return CandidateRows(np.stack(columns, axis=1).astype(np.float32), text, label)


def candidate_column_names(members: tuple[str, ...], statistics: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the columns that `build_candidate_rows` builds, in order."""
    return (
        *(f"{member}_probability" for member in members),
        *(f"{member}_rank" for member in members),
        *(f"{member}_margin" for member in members),
        "mean_probability",
        "least_probability",
        "greatest_probability",
        "spread",
        "mean_margin",
        "votes",
        *(f"{member}_entropy" for member in members),
        "disagreement",
        "best_mean_probability",
        *statistics,
    )


class CandidateScorer:
    """The booster of one task, as an ONNX graph. Its probabilities are not calibrated."""

    def __init__(self, path: ReadableFile, top: int, threads: int) -> None:
        self._session = open_session(path, threads)
        self._top = top

    def probabilities(self, members: Floats, statistics: Floats) -> NDArray[np.float64]:
        """Return the probability (texts, labels) float64 that each candidate is right; 0 for other labels.

        Args:
            members: (members, texts, labels) probabilities.
            statistics: (texts, statistics) of the texts.
        """
        candidates = build_candidate_rows(members, statistics, self._top)
        (scored,) = self._session.run(["probabilities"], {"rows": candidates.rows})
        result = np.zeros(members.shape[1:], dtype=np.float64)
        result[candidates.text, candidates.label] = scored[:, 1]
        return result
