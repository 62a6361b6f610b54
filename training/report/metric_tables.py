"""Tables of how good a version is: its members, its calibration, its doubts, its intents, its mistakes.

Functions of values; a table is None where the bundle has no such figures: older ones have fewer. Nothing is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.intent_calibration import MAX_INTENTS_SHOWN, IntentCalibration
from training.report.report_data import ReportData
from training.report.table import Table, drop_empty_columns, percent

UNCERTAINTY_TITLES = {
    "confidence": "1 - confidence of the ensemble",
    "member_disagreement": "disagreement between members",
    "head_dropout": "dropout of the encoders' heads (served)",
    "head_dropout_same_rows": "dropout of the heads, on the rows of the reference",
    "full_dropout": "dropout of whole encoders (the slow reference)",
}


def base_models_table(report_data: ReportData, task: str) -> Table:
    """Each member alone, the soft vote, the meta-learner over all, and over all but one; with the cost of a text."""
    metrics: Mapping[str, Any] = report_data.metrics[task]
    ablations = ablation_rows(report_data, task)
    cost = cost_per_text(report_data)
    best_loss = metrics["ensemble"]["log_loss"]
    rows = []
    for key, values in (*((key, metrics[key]) for key in row_order(report_data)), *ablations):
        change = "" if key == "ensemble" else f"{values['log_loss'] - best_loss:+.3f}"
        quality = (f"{values[name]:.3f}" for name in ("accuracy", "macro_f1", "log_loss"))
        calibrated = (f"{values[name]:.3f}" for name in ("brier", "ece"))
        milliseconds = f"{cost[key]:.2f}" if key in cost else ""
        rows.append((row_title(key), *quality, change, *calibrated, milliseconds))
    headers = ("", "accuracy", "macro-F1", "log loss", "against all", "Brier", "ECE", "ms per text")
    title = f"{task.capitalize()}: is the ensemble worth its members?"
    return drop_empty_columns(
        Table(title, headers, tuple(rows), describe_gain(report_data, task), row_title("ensemble"))
    )


def ablation_rows(report_data: ReportData, task: str) -> list[tuple[str, Mapping[str, float]]]:
    """The sealed figures of the ensemble without each member, in the order of the members."""
    stored: Mapping[str, Any] = report_data.metrics.get("ablation", {}).get(task, {})
    keys = (f"without_{name}" for name in report_data.manifest.members)
    return [(key, stored[key]) for key in keys if key in stored]


def describe_gain(report_data: ReportData, task: str) -> str:
    """In words, what the meta-learner gains over the best member and the soft vote, and which members take from it."""
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
        f"{_describe_in_scope_loss(in_scope_loss)} is {next(comparisons)} that of {best}, the best member alone, and {next(comparisons)} that of "
        "the soft vote. Log loss is in nats; above 0 in 'against all' is worse than all members together."
        + (f" Log loss does not rise without {names}." if without_effect else "")
    )


def _describe_in_scope_loss(log_loss: float | None) -> str:
    """Members do not know that a message may fit no intent; told that it does, the meta-learner is like them."""
    if log_loss is None:
        return "The meta-learner's log loss"
    return f"Told that a message fits an intent, as members assume, the meta-learner's log loss of {log_loss:.3f}"


def cost_per_text(report_data: ReportData) -> dict[str, float]:
    """Milliseconds of one thread per text: as measured, and for the soft vote and each part left out what follows."""
    measured: dict[str, float] = dict(report_data.metrics.get("cost_ms", {}))
    members = report_data.manifest.members
    if not measured.keys() >= {*members, "ensemble"}:
        return measured
    without = {f"without_{name}": measured["ensemble"] - measured[name] for name in members}
    return {**measured, **without, "soft_vote": sum(measured[name] for name in members)}


def row_order(report_data: ReportData) -> tuple[str, ...]:
    """The rows of tables; a manifest's figures themselves come in alphabetical order."""
    return (*report_data.manifest.members, "soft_vote", "ensemble")


def row_title(key: str) -> str:
    """How a row is called: members by their own names."""
    if key.startswith("without_"):
        return f"all without {key.removeprefix('without_')}"
    return {"soft_vote": "soft vote of all", "ensemble": "meta-learner (ensemble)"}.get(key, key)


def fallback_table(report_data: ReportData) -> Table | None:
    """Every reserve beside all members: what answers lose while encoders are away."""
    reserves: Mapping[str, Any] = report_data.metrics.get("reserves", {})
    all_models = {task: report_data.metrics[task]["ensemble"] for task in report_data.tasks}
    rows = tuple(
        (name, *(f"{by_task[task][key]:.3f}" for task in report_data.tasks for key in ("accuracy", "log_loss", "ece")))
        for name, by_task in (
            ("all members", all_models),
            *((row_title(key), values) for key, values in reserves.items()),
        )
    )
    headers = tuple(f"{task} {figure}" for task in report_data.tasks for figure in ("accuracy", "log loss", "ECE"))
    note = (
        "Where encoders have processes of their own and one is away, the rest goes on with a meta-learner that was "
        "trained without it. Such an answer names what was skipped and never goes out without a person."
    )
    title = "What do answers lose while encoders are away?"
    return Table(title, ("", *headers), rows, note, "all members") if reserves else None


def calibration_table(report_data: ReportData) -> Table:
    def rows() -> Iterator[tuple[str, ...]]:
        for task in report_data.tasks:
            metrics = report_data.metrics[task]["ensemble"]
            yield task, f"{metrics['ece']:.3f}", f"{metrics['brier']:.3f}", f"{metrics['log_loss']:.3f}"
        wrong = report_data.metrics["scope"]["ece_with_out_of_scope"]
        yield "intent, out of scope counted as wrong", f"{wrong:.3f}", "", ""

    note = (
        "ECE is the mean distance between confidence and accuracy over 15 equally filled bins, the Brier score the "
        "squared distance of all probabilities from the truth; 0 is perfect in both."
    )
    return Table("Does the confidence hold?", ("", "ECE", "Brier", "log loss"), tuple(rows()), note)


def intent_calibration_table(report_data: ReportData, calibrations: tuple[IntentCalibration, ...]) -> Table:
    """The intents whose confidence and accuracy differ most, beyond chance first."""
    intents = report_data.manifest.intents
    rows = tuple(
        (
            intents[calibration.intent],
            str(calibration.rows),
            percent(calibration.confidence),
            percent(calibration.accuracy),
            f"{-calibration.gap * 100:+.1f} points",
            "too sure"
            if calibration.beyond_chance and calibration.gap > 0
            else "too shy"
            if calibration.beyond_chance
            else "",
        )
        for calibration in calibrations[:MAX_INTENTS_SHOWN]
    )
    beyond = sum(calibration.beyond_chance for calibration in calibrations)
    note = (
        f"Beyond chance by an exact binomial test with Holm's correction: {beyond} of {len(calibrations)} intents that were "
        "chosen. First those, then the gaps that concern most messages."
    )
    headers = ("when it says", "times", "mean confidence", "is right in", "difference", "beyond chance")
    return Table("Where confidence and accuracy differ most", headers, rows, note)


def uncertainty_table(report_data: ReportData) -> Table | None:
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
        "AUROC: how often a wrong answer is doubted more than a right one (0.5 is chance). AURC: the mean error while "
        "ever more messages are answered, the least doubtful first; lower is better."
    )
    headers = ("doubt, best first", "AUROC of wrong answers", "AURC", "rows")
    return drop_empty_columns(Table("Which doubt finds wrong answers?", headers, rows, note)) if rows else None


def intents_table(report_data: ReportData) -> Table | None:
    """Every intent with its sealed figures, the least accurate first."""
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
        "Of the held-out messages that have the intent; 'wrong' of those that would go out as this intent. Figures of "
        "a few rows say little: look at their number first."
    )
    return (
        Table("Every intent, the least accurate first", headers, rows, note, bar_columns=frozenset({2, 8}))
        if rows
        else None
    )


def confusions_table(report_data: ReportData) -> Table | None:
    rows = tuple(
        (confusion.intent, confusion.taken_for, str(confusion.rows), percent(confusion.confidence), confusion.example)
        for confusion in report_data.confusions
    )
    note = "The example is the message on which the ensemble was surest of its mistake. Personal data is masked."
    headers = ("intent", "taken for", "times", "confidence", "for example")
    return Table("Confusions worth reading", headers, rows, note, text_columns=frozenset({0, 1, 4})) if rows else None
