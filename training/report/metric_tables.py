"""Tables of the quality of a version: base models, calibration, uncertainty measures, intents, confusions.

Pure functions. They return None if an older bundle does not have the metrics. Cells are not escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.intent_calibration import MAX_INTENTS_SHOWN, IntentCalibration
from training.report.report_data import ReportData
from training.report.table import ReportTable, drop_empty_columns, percent

UNCERTAINTY_TITLES = {
    "confidence": "1 - confidence of the ensemble",
    "member_disagreement": "disagreement between base models",
    "head_dropout": "dropout in the encoders' heads (served)",
    "head_dropout_same_rows": "dropout in the heads, on the rows of the reference",
    "full_dropout": "dropout in all layers of the encoders (slow reference)",
}


def base_models_table(report_data: ReportData, task: str) -> ReportTable:
    """Metrics of each base model, soft vote, meta-learner, and meta-learner without each model; cost per text."""
    metrics: Mapping[str, Any] = report_data.metrics[task]
    ablations = ablation_rows(report_data, task)
    cost = cost_per_text(report_data)
    best_loss = metrics["ensemble"]["log_loss"]
    rows = []
    for key, values in (*((key, metrics[key]) for key in model_row_order(report_data)), *ablations):
        change = "" if key == "ensemble" else f"{values['log_loss'] - best_loss:+.3f}"
        quality = (f"{values[name]:.3f}" for name in ("accuracy", "macro_f1", "log_loss"))
        calibrated = (f"{values[name]:.3f}" for name in ("brier", "ece"))
        milliseconds = f"{cost[key]:.2f}" if key in cost else ""
        rows.append((model_row_title(key), *quality, change, *calibrated, milliseconds))
    headers = ("", "accuracy", "macro-F1", "log loss", "against all", "Brier", "ECE", "ms per text")
    title = f"{task.capitalize()}: base models and ensemble"
    return drop_empty_columns(
        ReportTable(title, headers, tuple(rows), describe_gain(report_data, task), model_row_title("ensemble"))
    )


def ablation_rows(report_data: ReportData, task: str) -> list[tuple[str, Mapping[str, float]]]:
    """The stored metrics of the ensemble without each base model, in the order of the base models."""
    stored: Mapping[str, Any] = report_data.metrics.get("ablation", {}).get(task, {})
    keys = (f"without_{name}" for name in report_data.manifest.members)
    return [(key, stored[key]) for key in keys if key in stored]


def describe_gain(report_data: ReportData, task: str) -> str:
    """Describe the gain of the meta-learner over best base model and soft vote, and list models without an effect."""
    metrics = report_data.metrics[task]
    best, ensemble = (
        min(report_data.manifest.members, key=lambda name: metrics[name]["log_loss"]),
        metrics["ensemble"],
    )
    in_scope_loss = report_data.metrics["scope"].get("log_loss_given_scope") if task == "intent" else None
    compared = ensemble["log_loss"] if in_scope_loss is None else in_scope_loss
    gains = (metrics[name]["log_loss"] - compared for name in (best, "soft_vote"))
    comparisons = ("lower than" if gain > 0 else "no lower than" for gain in gains)
    without_effect = [
        key for key, values in ablation_rows(report_data, task) if values["log_loss"] <= ensemble["log_loss"]
    ]
    names = ", ".join(key.removeprefix("without_") for key in without_effect)
    return (
        f"{_describe_in_scope_loss(in_scope_loss)} is {next(comparisons)} that of {best}, the best base model, and "
        f"{next(comparisons)} that of the soft vote. Log loss is in nats. In 'against all', values above 0 are worse "
        "than the ensemble." + (f" Log loss does not rise without {names}." if without_effect else "")
    )


def _describe_in_scope_loss(log_loss: float | None) -> str:
    """Name the log loss of the meta-learner; given that a message is in scope, it is comparable with base models."""
    if log_loss is None:
        return "The meta-learner's log loss"
    return f"Given that a message is in scope, as base models assume, the meta-learner's log loss of {log_loss:.3f}"


def cost_per_text(report_data: ReportData) -> dict[str, float]:
    """Milliseconds per text on one thread: measured, and derived for the soft vote and for the ablations."""
    measured: dict[str, float] = dict(report_data.metrics.get("cost_ms", {}))
    members = report_data.manifest.members
    if not measured.keys() >= {*members, "ensemble"}:
        return measured
    without = {f"without_{name}": measured["ensemble"] - measured[name] for name in members}
    return {**measured, **without, "soft_vote": sum(measured[name] for name in members)}


def model_row_order(report_data: ReportData) -> tuple[str, ...]:
    """Order of the rows of tables. The metrics in a manifest are in alphabetical order."""
    return (*report_data.manifest.members, "soft_vote", "ensemble")


def model_row_title(key: str) -> str:
    """Title of a row; base models keep their names."""
    if key.startswith("without_"):
        return f"all without {key.removeprefix('without_')}"
    return {"soft_vote": "soft vote of all", "ensemble": "meta-learner (ensemble)"}.get(key, key)


def fallback_table(report_data: ReportData) -> ReportTable | None:
    """Metrics of all fallback ensembles and of the whole ensemble."""
    reserves: Mapping[str, Any] = report_data.metrics.get("reserves", {})
    all_models = {task: report_data.metrics[task]["ensemble"] for task in report_data.tasks}
    rows = tuple(
        (name, *(f"{by_task[task][key]:.3f}" for task in report_data.tasks for key in ("accuracy", "log_loss", "ece")))
        for name, by_task in (
            ("all base models", all_models),
            *((model_row_title(key), values) for key, values in reserves.items()),
        )
    )
    headers = tuple(f"{task} {figure}" for task in report_data.tasks for figure in ("accuracy", "log loss", "ECE"))
    note = (
        "If an encoder runs in another process and is unavailable, a fallback ensemble without it is used. Such an "
        "answer lists the skipped base models and is never sent without a person."
    )
    title = "Fallback ensembles while encoders are unavailable"
    return ReportTable(title, ("", *headers), rows, note, "all base models") if reserves else None


def calibration_table(report_data: ReportData) -> ReportTable:
    def rows() -> Iterator[tuple[str, ...]]:
        for task in report_data.tasks:
            metrics = report_data.metrics[task]["ensemble"]
            yield task, f"{metrics['ece']:.3f}", f"{metrics['brier']:.3f}", f"{metrics['log_loss']:.3f}"
        wrong = report_data.metrics["scope"]["ece_with_out_of_scope"]
        yield "intent, out of scope counted as wrong", f"{wrong:.3f}", "", ""

    note = (
        "ECE is the mean distance between confidence and accuracy over 15 equally filled bins. The Brier score is the "
        "squared distance of all probabilities from the truth. 0 is best for both."
    )
    return ReportTable("Calibration of the confidence", ("", "ECE", "Brier", "log loss"), tuple(rows()), note)


def intent_calibration_table(report_data: ReportData, calibrations: tuple[IntentCalibration, ...]) -> ReportTable:
    """The intents with the largest differences between confidence and accuracy, significant ones first."""
    intents = report_data.manifest.intents
    rows = tuple(
        (
            intents[calibration.intent],
            str(calibration.rows),
            percent(calibration.confidence),
            percent(calibration.accuracy),
            f"{-calibration.gap * 100:+.1f} points",
            "overconfident"
            if calibration.beyond_chance and calibration.gap > 0
            else "underconfident"
            if calibration.beyond_chance
            else "",
        )
        for calibration in calibrations[:MAX_INTENTS_SHOWN]
    )
    beyond = sum(calibration.beyond_chance for calibration in calibrations)
    note = (
        f"Significant in an exact binomial test with Holm's correction: {beyond} of {len(calibrations)} predicted "
        "intents. These come first; others are sorted by difference times number of messages."
    )
    headers = ("predicted intent", "times", "mean confidence", "accuracy", "difference", "significant")
    return ReportTable("Where confidence and accuracy differ most", headers, rows, note)


def uncertainty_table(report_data: ReportData) -> ReportTable | None:
    ordered = sorted(report_data.uncertainty_metrics.items(), key=lambda doubt: -doubt[1]["auroc"])
    rows = tuple(
        (
            UNCERTAINTY_TITLES.get(name, name),
            f"{values['auroc']:.3f}",
            f"{values['aurc']:.4f}" if "aurc" in values else "",
            str(values.get("rows", "")),
        )
        for name, values in ordered
    )
    note = (
        "AUROC: how often a wrong prediction is more uncertain than a right one (0.5 is chance). AURC: mean error rate "
        "over all shares of answered messages, the most certain first; lower is better."
    )
    headers = ("uncertainty measure, best first", "AUROC of wrong predictions", "AURC", "rows")
    return drop_empty_columns(ReportTable("Detection of wrong predictions", headers, rows, note)) if rows else None


def intents_table(report_data: ReportData) -> ReportTable | None:
    """All intents with their stored metrics, lowest accuracy first."""
    worst_first = sorted(report_data.per_intent.items(), key=lambda item: (item[1]["accuracy"], item[0]))
    rows = tuple(
        (
            label,
            str(row["rows"]),
            percent(row["accuracy"]),
            percent(row["confidence"]),
            f"{row['ece']:.3f}",
            f"{row['brier']:.3f}",
            percent(row["conformal_coverage"]),
            f"{row['conformal_size']:.2f}",
            percent(row["automated"]),
            percent(row["automation_error"]) if row["automated"] or row["automation_error"] else "",
        )
        for label, row in worst_first
    )
    headers = (
        *("intent", "rows", "accuracy", "confidence", "ECE", "Brier"),
        *("covered", "set size", "automated", "wrong"),
    )
    note = (
        "On the held-out messages with this intent; 'wrong': among messages that would be automated as this intent. "
        "Values of a few rows are not reliable: look at the number of rows first."
    )
    return (
        ReportTable("All intents, lowest accuracy first", headers, rows, note, bar_columns=frozenset({2, 8}))
        if rows
        else None
    )


def confusions_table(report_data: ReportData) -> ReportTable | None:
    rows = tuple(
        (confusion.intent, confusion.taken_for, str(confusion.rows), percent(confusion.confidence), confusion.example)
        for confusion in report_data.confusions
    )
    note = "The example is the wrong prediction with the highest confidence. Personal data is masked."
    headers = ("intent", "predicted as", "times", "confidence", "example")
    return (
        ReportTable("Most frequent confusions", headers, rows, note, text_columns=frozenset({0, 1, 4}))
        if rows
        else None
    )
