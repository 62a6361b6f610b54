"""Tables of guarantees and costs of a version: conformal sets, scope, automation, latency, thresholds, data.

Pure functions. Rows for metrics that older bundles do not have are left out. Cells are not escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.report_data import ReportData
from training.report.table import ReportTable, drop_empty_columns, name_value_table, percent


def conformal_table(report_data: ReportData) -> ReportTable:
    metrics = report_data.metrics["conformal"]

    def rows() -> Iterator[tuple[str, str]]:
        target = metrics.get("target", report_data.calibration.conformal_coverage)
        yield "guaranteed coverage", percent(target)
        yield "coverage, held-out messages", percent(metrics["coverage"])
        yield "mean set size, held-out messages", f"{metrics['mean_set_size']:.2f} intents"
        if "resplit_coverage" in metrics:
            spread = f"± {metrics['resplit_deviation'] * 100:.1f} points"
            resplits = f"{metrics['resplits']} re-splits of calibration and test"
            yield f"coverage, mean of {resplits}", f"{percent(metrics['resplit_coverage'])} {spread}"
            yield f"mean set size, {resplits}", f"{metrics['resplit_set_size']:.2f} intents"
        covered = {label: row["conformal_coverage"] for label, row in report_data.per_intent.items()}
        if covered:
            under = sum(value < target for value in covered.values())
            label = min(covered, key=covered.__getitem__)
            yield "intents with a lower coverage", f"{under} of {len(covered)}"
            yield "intent with the lowest coverage", f"{label}, {percent(covered[label])}"

    note = (
        "The guarantee is marginal (split conformal): it holds over all messages in scope, not for each intent. With "
        "more than one plausible intent, Frontdesk asks the customer."
    )
    return name_value_table("Sets of plausible intents", rows(), note)


def out_of_scope_table(report_data: ReportData) -> ReportTable:
    scope = report_data.metrics["scope"]
    near = scope.get("near_rows")
    headers = ("out-of-scope messages", "messages", "detected", "AUROC")
    rows = []
    if report_data.far_out_of_scope_rows:
        rows.append(
            (
                "far: fit no intent",
                str(report_data.far_out_of_scope_rows),
                percent(scope["recall"]),
                _format_metric(scope, "auroc"),
            )
        )
    if near:
        name = "near: of intents withheld from training"
        rows.append((name, str(near), percent(scope["near_recall"]), _format_metric(scope, "near_auroc")))
    note = (
        f"The threshold {report_data.calibration.out_of_scope_threshold:.4f} was chosen so that "
        f"at most {percent(report_data.calibration.false_alarm_rate)} of messages in scope are false alarms, at "
        f"{report_data.calibration.certificate_confidence:.0%} confidence; on the held-out messages "
        f"{percent(scope['false_alarm_rate'])} are."
    )
    if not rows:
        return name_value_table("Messages that fit no intent", [("held out", "none: recall is not known")], note)
    return drop_empty_columns(ReportTable("Messages that fit no intent", headers, tuple(rows), note))


def _format_metric(values: Mapping[str, Any], name: str) -> str:
    return f"{values[name]:.3f}" if values.get(name) is not None else ""


def automation_table(report_data: ReportData) -> ReportTable:
    calibration, metrics = report_data.calibration, report_data.metrics["automation"]

    def rows() -> Iterator[tuple[str, str]]:
        promise = f"at most {percent(calibration.max_error)} wrong"
        yield "guarantee", f"{promise}, at {calibration.certificate_confidence:.0%} confidence"
        certified = calibration.automation_threshold
        yield "certified threshold", "none could be certified" if certified is None else f"confidence {certified:.4f}"
        intent_thresholds = calibration.intent_thresholds
        yield "intents with a threshold of their own", str(len(intent_thresholds))
        yield "automated", f"{percent(metrics['share'])} of held-out messages, if the policies allow it"
        if metrics["share"]:
            upper = metrics.get("upper_bound")
            at_most = "" if upper is None else f", at most {percent(upper)} at {calibration.certificate_confidence:.0%}"
            yield "wrong among them", f"{percent(metrics['error'])}{at_most}"
        automated = [row["automated"] for row in report_data.per_intent.values()]
        if automated:
            yield (
                "intents without automated messages",
                f"{sum(not value for value in automated)} of {len(automated)}",
            )

    note = (
        "Certified on calibration rows pooled over intents (fixed-sequence testing of Clopper-Pearson bounds: Learn "
        "then Test, Angelopoulos et al. 2021). Automated messages that are out of scope count as wrong."
    )
    return name_value_table("Replies without a person", rows(), note)


def latency_table(report_data: ReportData) -> ReportTable:
    latency = report_data.latency
    rows = (
        ("one text, median", f"{latency.p50_ms:.2f} ms"),
        ("one text, 95th percentile", f"{latency.p95_ms:.2f} ms"),
        ("per text in full batches", f"{latency.batched_ms:.2f} ms"),
        ("size of the bundle", f"{report_data.size_bytes / 1e6:.1f} MB"),
    )
    note = f"{latency.texts} texts, one thread, without masking, on the machine that created this report."
    return name_value_table("Latency", rows, note)


def thresholds_table(report_data: ReportData) -> ReportTable:
    calibration = report_data.calibration

    def rows() -> Iterator[tuple[str, str]]:
        for task, platt in (("intent", calibration.intent), ("sentiment", calibration.sentiment)):
            yield f"{task} calibrator", f"sigmoid({platt.slope:.4f} · logit(p) {platt.offset:+.4f})"
        yield "plausible intent", f"probability {calibration.conformal_threshold:.4f}"
        yield "calibrated on", f"{calibration.rows} messages that were not used to train base models or meta-learner"
        for label, threshold in calibration.intent_thresholds.items():
            yield f"automation of {label}", f"confidence {threshold:.4f}"

    return name_value_table("Calibrators and thresholds", rows())


def data_table(report_data: ReportData) -> ReportTable:
    manifest = report_data.manifest
    data = manifest.data

    def rows() -> Iterator[tuple[str, str]]:
        yield "source", str(data["source"])
        yield "SHA-256", str(data["sha256"])
        parts = (f"{data[part]} {part}" for part in ("train", "stacking", "calibration", "test") if data.get(part))
        yield "messages", f"{data['rows']}: {', '.join(parts)}"
        yield "labels", f"{len(manifest.intents)} intents, {len(manifest.sentiments)} sentiments"
        if "borrowed_sentiment" in manifest.metrics:
            borrowed = manifest.metrics["borrowed_sentiment"]["rows"]
            yield "sentiment", f"trained on {borrowed} messages of the starter corpus: the data has none"
        yield "features, masking", f"{manifest.feature_fingerprint}, {manifest.masking_version}"

    return name_value_table("Data", rows())
