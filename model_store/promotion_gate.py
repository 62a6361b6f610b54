"""Promotion gate: compares metrics to decide whether a challenger may replace the champion.

    paired test, accuracy, log loss, each intent, sentiment, calibration, intents known, latency, size

A challenger need not be better; it must not be worse than the limits allow. The usual case is training again on more
data. Without a champion only the floor counts. Pure: `training/evaluation/comparison.py` measures the values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from frontdesk.config import PromotionLimits


@dataclass(frozen=True, slots=True)
class BundleMetrics:
    """Metrics of one bundle on the held-out rows. Both sides of a comparison have the same rows in the same order.

    Attributes:
        truth: the label of each row; out-of-scope messages have the label `out_of_scope`.
        right: whether each row was understood: classified as in scope with the right intent, or rightly as out of
            scope.
        sentiment_right: the same for the rows with a sentiment.
        log_loss: of the true label's probability, in nats; out of scope has the probability that the intents leave
            over.
        ece: expected calibration error of the confidence that callers see.
        latency_ms: median time for one text, measured alternately with the other side.
        maybe_trained_on: number of rows that may have been in this bundle's training data.
    """

    version: str
    intents: tuple[str, ...]
    truth: tuple[str, ...]
    right: tuple[bool, ...]
    sentiment_right: tuple[bool, ...]
    log_loss: float
    ece: float
    latency_ms: float
    size_bytes: int
    maybe_trained_on: int = 0

    @property
    def accuracy(self) -> float:
        return _share(self.right)

    @property
    def sentiment_accuracy(self) -> float:
        return _share(self.sentiment_right)


@dataclass(frozen=True, slots=True)
class GateCheck:
    """A value and its limit. A floor has no `champion` value. `sentence` continues `name`."""

    name: str
    champion: float | None
    challenger: float
    limit: float
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class PromotionVerdict:
    """All checks of one challenger. `notes` explain the values; they have no effect on the result."""

    champion: str | None
    challenger: str
    rows: int
    checks: tuple[GateCheck, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def failed_checks(self) -> tuple[GateCheck, ...]:
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True, slots=True)
class IntentAccuracyChange:
    """Accuracy on the rows of one intent, before and after."""

    intent: str
    rows: int
    champion: float
    challenger: float

    @property
    def change(self) -> float:
        return self.challenger - self.champion


def decide_promotion(
    champion: BundleMetrics | None, challenger: BundleMetrics, limits: PromotionLimits
) -> PromotionVerdict:
    """Compare both on the same rows, or the challenger with the floor if there is no champion.

    Raises:
        ValueError: the two were measured on different rows, so that a comparison has no meaning.
    """
    if champion is not None and champion.truth != challenger.truth:
        raise ValueError("champion and challenger were measured on different rows")
    checks = tuple(_floor_checks(challenger) if champion is None else _comparison_checks(champion, challenger, limits))
    return PromotionVerdict(
        champion=champion.version if champion else None,
        challenger=challenger.version,
        rows=len(challenger.truth),
        checks=checks,
        notes=tuple(_notes(champion, challenger, limits)) if champion else (),
    )


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value of McNemar's test (McNemar 1947, Psychometrika 12:153-157) on the discordant rows.

    `only_first` rows were right on the first side only, `only_second` on the second only. If both are equally good,
    each discordant row is a fair coin toss. The binomial distribution is summed exactly, without the normal
    approximation, which fails for the few discordant rows of small test sets. 1.0 if there are none.
    """
    total = only_first + only_second
    ways = term = 1
    for index in range(min(only_first, only_second)):
        term = term * (total - index) // (index + 1)
        ways += term
    return min(1.0, 2 * ways / (1 << total))


def intent_changes(champion: BundleMetrics, challenger: BundleMetrics) -> tuple[IntentAccuracyChange, ...]:
    """Accuracy change of every intent in the rows, and of out of scope, from the largest loss to the largest gain."""
    changes = []
    for intent in sorted(set(challenger.truth)):
        rows = [row for row, label in enumerate(challenger.truth) if label == intent]
        before, after = (_share([side.right[row] for row in rows]) for side in (champion, challenger))
        changes.append(IntentAccuracyChange(intent, len(rows), before, after))
    return tuple(sorted(changes, key=lambda change: change.change))


def _comparison_checks(
    champion: BundleMetrics, challenger: BundleMetrics, limits: PromotionLimits
) -> Iterator[GateCheck]:
    yield _paired_test_check(champion, challenger, limits.significance)
    yield _decrease_check("accuracy", champion.accuracy, challenger.accuracy, limits.max_accuracy_loss)
    yield _increase_check("log loss", champion.log_loss, challenger.log_loss, limits.max_log_loss_gain)
    if changes := _intents_with_enough_rows(champion, challenger, limits):
        yield _each_intent_check(changes, limits.max_intent_accuracy_loss)
    if challenger.sentiment_right:
        before, after = champion.sentiment_accuracy, challenger.sentiment_accuracy
        yield _decrease_check("sentiment accuracy", before, after, limits.max_sentiment_accuracy_loss)
    yield _increase_check("calibration error", champion.ece, challenger.ece, limits.max_ece_gain)
    yield _known_intents_check(champion, challenger)
    yield _ratio_check("latency", "ms per text", champion.latency_ms, challenger.latency_ms, limits.max_latency_ratio)
    sizes = (champion.size_bytes / 1e6, challenger.size_bytes / 1e6)
    yield _ratio_check("size", "MB", *sizes, limits.max_size_ratio)


def _floor_checks(challenger: BundleMetrics) -> Iterator[GateCheck]:
    """Compare with answers that need no model: always the most frequent label, and equal probability for all."""
    truth = challenger.truth
    majority = max(truth.count(label) for label in set(truth)) / len(truth)
    accuracy = challenger.accuracy
    yield GateCheck(
        "accuracy above majority", None, accuracy, majority, accuracy > majority,
        f"{accuracy:.3f}; always answering with the most frequent label gives {majority:.3f}",
    )  # fmt: skip
    uniform = math.log(len(challenger.intents) + 1)
    yield GateCheck(
        "log loss below guessing", None, challenger.log_loss, uniform, challenger.log_loss < uniform,
        f"{challenger.log_loss:.3f}; holding all labels equally likely gives {uniform:.3f}",
    )  # fmt: skip


def _paired_test_check(champion: BundleMetrics, challenger: BundleMetrics, significance: float) -> GateCheck:
    pairs = list(zip(champion.right, challenger.right, strict=True))
    losses, wins = pairs.count((True, False)), pairs.count((False, True))
    p_value = mcnemar_p_value(losses, wins)
    return GateCheck(
        "paired test", losses, wins, significance, not (losses > wins and p_value < significance),
        f"of {len(pairs)} rows the champion alone is right on {losses}, the challenger alone on {wins}: "
        f"p = {p_value:.3g}; worse with p < {significance:g} is refused",
    )  # fmt: skip


def _intents_with_enough_rows(
    champion: BundleMetrics, challenger: BundleMetrics, limits: PromotionLimits
) -> list[IntentAccuracyChange]:
    """Intents with enough rows for a check of their own, largest loss first. With fewer, a single row would decide."""
    return [change for change in intent_changes(champion, challenger) if change.rows >= limits.min_rows_per_intent]


def _each_intent_check(changes: Sequence[IntentAccuracyChange], limit: float) -> GateCheck:
    """The worst intent decides; the sentence names every intent beyond the limit."""
    worst = changes[0]
    exceeding = [change for change in changes if _exceeds(-change.change, limit)]
    described = ", ".join(
        f"{change.intent} {change.champion:.2f} -> {change.challenger:.2f} ({change.rows} rows)"
        for change in exceeding or [worst]
    )
    sentence = f"{described}; an intent may lose at most {limit:g}"
    return GateCheck("each intent", worst.champion, worst.challenger, limit, not exceeding, sentence)


def _known_intents_check(champion: BundleMetrics, challenger: BundleMetrics) -> GateCheck:
    """Check for lost intents: the challenger's test set has no rows of them, so no other check detects them."""
    lost = [intent for intent in champion.intents if intent not in challenger.intents]
    sentence = f"it no longer knows {', '.join(lost)}" if lost else "it knows every intent of the champion"
    return GateCheck("intents known", len(champion.intents), len(challenger.intents), 0, not lost, sentence)


def _decrease_check(name: str, before: float, after: float, limit: float) -> GateCheck:
    sentence = f"{before:.3f} -> {after:.3f} ({after - before:+.3f}); at most {limit:g} may be lost"
    return GateCheck(name, before, after, limit, not _exceeds(before - after, limit), sentence)


def _increase_check(name: str, before: float, after: float, limit: float) -> GateCheck:
    sentence = f"{before:.3f} -> {after:.3f} ({after - before:+.3f}); it may grow by at most {limit:g}"
    return GateCheck(name, before, after, limit, not _exceeds(after - before, limit), sentence)


def _ratio_check(name: str, unit: str, before: float, after: float, limit: float) -> GateCheck:
    sentence = f"{before:.2f} -> {after:.2f} {unit} ({after / before:.2f} times); at most {limit:g} times"
    return GateCheck(name, before, after, limit, not _exceeds(after / before, limit), sentence)


def _notes(champion: BundleMetrics, challenger: BundleMetrics, limits: PromotionLimits) -> Iterator[str]:
    if not _intents_with_enough_rows(champion, challenger, limits):
        yield f"No intent has the {limits.min_rows_per_intent} rows that are needed for a check of its own."
    if champion.maybe_trained_on:
        yield (
            f"{champion.maybe_trained_on} of the rows may have been in the training data of {champion.version}, which "
            "would improve its result. A refusal may be wrong; a pass is valid."
        )
    if new := [intent for intent in challenger.intents if intent not in champion.intents]:
        yield f"{champion.version} does not know {', '.join(new)}; it counts as wrong on their rows."


def _exceeds(value: float, limit: float) -> bool:
    """Whether `value` exceeds `limit` by more than rounding: 0.30 - 0.20 does not exceed 0.10."""
    return value > limit + 1e-9


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
