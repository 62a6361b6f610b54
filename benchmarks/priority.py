"""Agreement of the priority score with urgency labels of people, on support e-mails that were not used in training.

    python -m benchmarks.priority --data PATH

Method: PATH is a CSV with columns `text` and `urgency` (low, medium, high), made for `facility_urgency`: 200 e-mails
to a facility service. Every text is masked, and the champion of this machine predicts its sentiment. The intent is
*not* predicted: the starter taxonomy is that of an online shop and nine of ten of these e-mails are out of scope, so
each gets the points of an intent of medium urgency. The benchmark measures the cues, the sentiment and the levels of
`policy/priority.yaml`.

The rows are split by a hash of their text. The development half (`look`) was inspected, with its errors, to find
missing general cues. The test half (`check`) was never inspected: only its results are unbiased. Prints rank
correlation with 95 % percentile bootstrap intervals, the AUROC of high against the rest, the share of correct levels
(urgent counts as high), the rank correlation of the score with the length of the text (long texts must not get points
for their length), and counts of level by urgency. For comparison it prints the accuracy of a TF-IDF linear model that
was trained on these rows.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata, spearmanr

from benchmarks.results import argument_parser, print_result, print_table
from bentos.wiring.model import open_trusted_bundle
from frontdesk.config import load_settings
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.masking import mask
from frontdesk.taxonomy import URGENCIES
from frontdesk.types import MaskedText, PriorityLevel, Query
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble

BATCH_TEXTS = 16
RESAMPLES = 1000
TF_IDF_ACCURACY = 0.885
"""Cross-validation with five folds over all rows: an upper bound for word features."""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Arrays with one entry per row: points, level, urgency (0 low, 1 medium, 2 high), characters, half."""

    score: NDArray[np.float64]
    level: NDArray[np.str_]
    urgency: NDArray[np.int64]
    length: NDArray[np.int64]
    development: NDArray[np.bool_]

    def select(self, selection: NDArray[Any]) -> ScoredRows:
        return ScoredRows(
            self.score[selection],
            self.level[selection],
            self.urgency[selection],
            self.length[selection],
            self.development[selection],
        )


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a CSV with the columns text and urgency")
    options = parser.parse_args()
    settings = load_settings()
    policy = settings.policy.priority or STARTER_POLICY
    ensemble = load_warm_ensemble(open_trusted_bundle(settings), settings.model.onnx_threads)
    rows = score_rows(options.data, ensemble, PriorityPolicy.read(policy))
    halves = {"look": rows.select(rows.development), "check": rows.select(~rows.development), "all": rows}
    measured = {name: measure(half) for name, half in halves.items()}
    _print_tables(measured, ensemble.version)
    digest = hashlib.sha256(policy.read_bytes()).hexdigest()[:12]
    print_result("priority", {"model": ensemble.version, "policy": digest, **measured})


def is_development_text(text: str) -> bool:
    """Whether a text is in the development half, independent of the order of the texts."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0


def score_rows(data: Path, ensemble: Ensemble, policy: PriorityPolicy) -> ScoredRows:
    """Score every row of the file as a message of a standard customer with unknown waiting time."""
    with data.open(encoding="utf-8", newline="") as file:
        csv_rows = list(csv.DictReader(file))
    texts = [mask(row["text"]).text for row in csv_rows]
    now = datetime.now(UTC)
    priorities = [
        policy.score(Query(text), MaskedText(text), understanding, "medium", now)
        for start in range(0, len(texts), BATCH_TEXTS)
        for batch in [texts[start : start + BATCH_TEXTS]]
        for text, understanding in zip(batch, ensemble.understand(batch), strict=True)
    ]
    return ScoredRows(
        score=np.array([priority.score for priority in priorities]),
        level=np.array([str(priority.level) for priority in priorities]),
        urgency=np.array([URGENCIES.index(row["urgency"]) for row in csv_rows]),
        length=np.array([len(text) for text in texts]),
        development=np.array([is_development_text(row["text"]) for row in csv_rows]),
    )


def measure(rows: ScoredRows) -> dict[str, Any]:
    """Metrics of one half as plain numbers; `levels` counts (urgency, level)."""
    draws = np.random.default_rng(0).integers(0, len(rows.score), (RESAMPLES, len(rows.score)))
    resampled = [rows.select(draw) for draw in draws]
    metrics: dict[str, Any] = {"rows": len(rows.score)}
    for name, statistic in (
        ("spearman", _spearman),
        ("kendall_tau_b", _kendall),
        ("auroc_high", _auroc),
        ("right", _level_accuracy),
    ):
        low, high = np.percentile([statistic(sample) for sample in resampled], [2.5, 97.5])
        metrics[name] = {"value": round(statistic(rows), 3), "low": round(float(low), 3), "high": round(float(high), 3)}
    metrics["spearman_with_length"] = round(float(spearmanr(rows.score, rows.length).statistic), 3)
    metrics["levels"] = {
        urgency: {str(level): int(((rows.urgency == index) & (rows.level == level)).sum()) for level in PriorityLevel}
        for index, urgency in enumerate(URGENCIES)
    }
    return metrics


def _spearman(rows: ScoredRows) -> float:
    return float(spearmanr(rows.score, rows.urgency).statistic)


def _kendall(rows: ScoredRows) -> float:
    return float(kendalltau(rows.score, rows.urgency).statistic)


def _auroc(rows: ScoredRows) -> float:
    """AUROC of the score for high urgency: share of correctly ordered pairs, ties count half (Mann-Whitney)."""
    high = rows.urgency == URGENCIES.index("high")
    positives, negatives = int(high.sum()), int((~high).sum())
    ranks = float(rankdata(rows.score)[high].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def _level_accuracy(rows: ScoredRows) -> float:
    expected = np.array(URGENCIES)[rows.urgency]
    return float(((rows.level == expected) | ((rows.level == "urgent") & (expected == "high"))).mean())


def _print_tables(measured: dict[str, dict[str, Any]], version: str) -> None:
    figures = {"Spearman": "spearman", "Kendall tau-b": "kendall_tau_b", "AUROC high": "auroc_high"}
    figures["level right"] = "right"
    rows = [
        {"half": name, **half, **{key: _interval(**half[key]) for key in figures.values()}}
        for name, half in measured.items()
    ]
    columns = [("half", "half", ""), ("rows", "rows", "d"), *((*figure, "") for figure in figures.items())]
    title = f"Priority against urgency, sentiment of bundle {version}"
    print_table(title, [*columns, ("with length", "spearman_with_length", "+.2f")], rows)
    print(f"TF-IDF and a linear model trained on these rows, five folds: level right {TF_IDF_ACCURACY}.")
    levels = [("urgency", "urgency", ""), *((level, level, "d") for level in map(str, PriorityLevel))]
    for name, half in measured.items():
        print_table(name, levels, [{"urgency": urgency, **counts} for urgency, counts in half["levels"].items()])


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.2f}-{high:.2f})"


if __name__ == "__main__":
    main()
