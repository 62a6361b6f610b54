"""Tables of what a version promises and what it costs: sets, scope, automation, latency, thresholds, data.

Functions of values; what older bundles have no figures for is left out. Nothing is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.report_data import Subject
from training.report.table import Table, pairs, share, trimmed


def conformal_table(subject: Subject) -> Table:
    found = subject.metrics["conformal"]

    def rows() -> Iterator[tuple[str, str]]:
        target = found.get("target", subject.calibration.conformal_coverage)
        yield "promised coverage", share(target)
        yield "coverage, held-out messages", share(found["coverage"])
        yield "mean set size, held-out messages", f"{found['mean_set_size']:.2f} intents"
        if "resplit_coverage" in found:
            spread = f"± {found['resplit_deviation'] * 100:.1f} points"
            again = f"{found['resplits']} re-splits of calibration and test"
            yield f"coverage, mean of {again}", f"{share(found['resplit_coverage'])} {spread}"
            yield f"mean set size, {again}", f"{found['resplit_set_size']:.2f} intents"
        covered = {label: row["conformal_coverage"] for label, row in subject.per_intent.items()}
        if covered:
            under = sum(value < target for value in covered.values())
            label = min(covered, key=covered.__getitem__)
            yield "intents covered less often than promised", f"{under} of {len(covered)}"
            yield "least covered intent", f"{label}, {share(covered[label])}"

    note = (
        "The promise is marginal (split conformal): over all messages in scope, not for each intent. More than one "
        "plausible intent makes Frontdesk ask the customer."
    )
    return pairs("Sets of plausible intents", rows(), note)


def scope_table(subject: Subject) -> Table:
    scope = subject.metrics["scope"]
    near = scope.get("near_rows")
    heads = ("out-of-scope messages", "messages", "found", "AUROC")
    rows = []
    if subject.far_rows:
        rows.append(("far: fit no intent", str(subject.far_rows), share(scope["recall"]), _figure(scope, "auroc")))
    if near:
        name = "near: of intents withheld from training"
        rows.append((name, str(near), share(scope["near_recall"]), _figure(scope, "near_auroc")))
    note = (
        f"The threshold {subject.calibration.out_of_scope_threshold:.4f} was chosen so that "
        f"at most {share(subject.calibration.false_alarm_rate)} of messages in scope are false alarms, at "
        f"{subject.calibration.certificate_confidence:.0%} confidence; on the held-out messages "
        f"{share(scope['false_alarm_rate'])} are."
    )
    if not rows:
        return pairs("Messages that fit no intent", [("held out", "none: recall is not known")], note)
    return trimmed(Table("Messages that fit no intent", heads, tuple(rows), note))


def _figure(values: Mapping[str, Any], name: str) -> str:
    return f"{values[name]:.3f}" if values.get(name) is not None else ""


def automation_table(subject: Subject) -> Table:
    calibration, found = subject.calibration, subject.metrics["automation"]

    def rows() -> Iterator[tuple[str, str]]:
        promise = f"at most {share(calibration.max_error)} wrong"
        yield "promise", f"{promise}, at {calibration.certificate_confidence:.0%} confidence"
        certified = calibration.automation_threshold
        yield "certified threshold", "none could be certified" if certified is None else f"confidence {certified:.4f}"
        own = calibration.intent_thresholds
        yield "intents with a threshold of their own", str(len(own))
        yield "automated", f"{share(found['share'])} of held-out messages, as far as policy lets them"
        if found["share"]:
            upper = found.get("upper_bound")
            at_most = "" if upper is None else f", at most {share(upper)} at {calibration.certificate_confidence:.0%}"
            yield "wrong among them", f"{share(found['error'])}{at_most}"
        automated = [row["automated"] for row in subject.per_intent.values()]
        if automated:
            yield (
                "intents of which nothing is automated",
                f"{sum(not value for value in automated)} of {len(automated)}",
            )

    note = (
        "Certified on calibration rows pooled over intents (fixed-sequence testing of Clopper-Pearson bounds: Learn "
        "then Test, Angelopoulos et al. 2021). Messages out of scope count as wrong wherever they would be automated."
    )
    return pairs("What may go out without a person?", rows(), note)


def latency_table(subject: Subject) -> Table:
    found = subject.latency
    rows = (
        ("one text alone, median", f"{found.p50_ms:.2f} ms"),
        ("one text alone, 95th percentile", f"{found.p95_ms:.2f} ms"),
        ("a text in full batches", f"{found.batched_ms:.2f} ms"),
        ("size of the bundle", f"{subject.size_bytes / 1e6:.1f} MB"),
    )
    note = f"{found.texts} texts, one thread, masking not included, on the machine that drew this report."
    return pairs("How long does a text take?", rows, note)


def thresholds_table(subject: Subject) -> Table:
    calibration = subject.calibration

    def rows() -> Iterator[tuple[str, str]]:
        for task, platt in (("intent", calibration.intent), ("sentiment", calibration.sentiment)):
            yield f"{task} calibrator", f"sigmoid({platt.slope:.4f} · logit(p) {platt.offset:+.4f})"
        yield "plausible intent", f"probability {calibration.conformal_threshold:.4f}"
        yield "calibrated on", f"{calibration.rows} messages that no member and no meta-learner saw"
        for label, threshold in calibration.intent_thresholds.items():
            yield f"automation of {label}", f"confidence {threshold:.4f}"

    return pairs("Calibrators and thresholds", rows())


def data_table(subject: Subject) -> Table:
    manifest = subject.manifest
    data = manifest.data

    def rows() -> Iterator[tuple[str, str]]:
        yield "source", str(data["source"])
        yield "SHA-256", str(data["sha256"])
        parts = (f"{data[part]} {part}" for part in ("train", "stacking", "calibration", "test") if data.get(part))
        yield "messages", f"{data['rows']}: {', '.join(parts)}"
        yield "labels", f"{len(manifest.intents)} intents, {len(manifest.sentiments)} sentiments"
        if "borrowed_sentiment" in manifest.metrics:
            borrowed = manifest.metrics["borrowed_sentiment"]["rows"]
            yield "sentiment", f"taught by {borrowed} messages of the starter corpus: the data has none"
        yield "features, masking", f"{manifest.feature_fingerprint}, {manifest.masking_version}"

    return pairs("Data", rows())
