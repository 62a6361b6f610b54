"""Prometheus metrics of requests, answers, models and storage. No label identifies a customer or caller.

With several workers prometheus_client stores each worker's values in files of PROMETHEUS_MULTIPROC_DIR (BentoML sets
it before a worker imports anything), and any worker can render the sum. BentoML's own metrics (`bentoml_service_*`) are
in the same files. Routes are labelled by their template, so that a path cannot become a label.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from frontdesk.types import Answer

_MULTI_PROCESS = "PROMETHEUS_MULTIPROC_DIR"
_KINDS = ("counter", "histogram", "gauge_livemax", "gauge_livesum", "gauge_livemostrecent")
_RESERVED_BYTES = 1 << 18  # for each kind and worker; all metrics, including BentoML's, need a quarter of it
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GRPC"))
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TENTHS = tuple(tenth / 10 for tenth in range(1, 11))


def _preallocate_metric_files(folder: Path) -> None:
    """Create the metric files of this process with all their disk blocks.

    prometheus_client maps sparse files into memory. On a full disk, a write to a block that is not allocated ends the
    process with SIGBUS, so workers died instead of refusing requests. Systems without `posix_fallocate` (macOS) are not
    protected.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    for kind in _KINDS:
        with (folder / f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVED_BYTES)


class Metrics:
    """All metrics of Frontdesk. Create it once in each process: a registry accepts each metric only once."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register with `registry`, by default the global one of prometheus_client."""
        if folder := os.environ.get(_MULTI_PROCESS):
            _preallocate_metric_files(Path(folder))
        self._registry = REGISTRY if registry is None else registry
        self._version: str | None = None
        self._add_request_metrics(self._registry)
        self._add_answer_metrics(self._registry)
        self._add_model_metrics(self._registry)
        self._add_storage_metrics(self._registry)

    def _add_request_metrics(self, registry: CollectorRegistry) -> None:
        self._requests = _LabelledCounter(
            Counter(
                "frontdesk_http_requests_total", "Requests answered", ("route", "method", "status"), registry=registry
            )
        )
        self._durations = _LabelledHistogram(
            Histogram(
                "frontdesk_http_request_duration_seconds",
                "Time from a request's first byte to its answer",
                ("route",),
                buckets=_SECONDS,
                registry=registry,
            )
        )
        self._rejected = _LabelledCounter(
            Counter("frontdesk_rejected_total", "Requests refused, by kind of error", ("kind",), registry=registry)
        )
        self._limited = _LabelledCounter(
            Counter(
                "frontdesk_rate_limited_total", "Requests refused, by the exceeded limit", ("limit",), registry=registry
            )
        )
        self._limit_checks = _LabelledCounter(
            Counter(
                "frontdesk_rate_limit_checks_total",
                "Requests checked against the rate limits, by the windows that decided",
                ("windows",),
                registry=registry,
            )
        )
        self._connections = Gauge(
            "frontdesk_open_connections", "Open HTTP connections", registry=registry, multiprocess_mode="livesum"
        )
        self._closed = _LabelledCounter(
            Counter(
                "frontdesk_connections_closed_total",
                "Connections that the server closed or refused, by reason",
                ("reason",),
                registry=registry,
            )
        )
        self._body_refusals = Counter(
            "frontdesk_body_memory_refusals_total",
            "HTTP requests refused because the bodies of a worker reached server.max_body_memory_bytes",
            registry=registry,
        )

    def _add_answer_metrics(self, registry: CollectorRegistry) -> None:
        self._queries = _LabelledCounter(
            Counter("frontdesk_queries_total", "Messages understood", ("intent", "action"), registry=registry)
        )
        self._sentiments = _LabelledCounter(
            Counter("frontdesk_sentiments_total", "Messages by sentiment", ("sentiment",), registry=registry)
        )
        self._priorities = _LabelledCounter(
            Counter("frontdesk_priorities_total", "Messages by priority", ("priority",), registry=registry)
        )
        self._confidence = Histogram(
            "frontdesk_confidence", "Calibrated probability of the intent", buckets=_TENTHS, registry=registry
        )
        self._uncertainty = Histogram(
            "frontdesk_uncertainty_score", "Normalised entropy of the ensemble", buckets=_TENTHS, registry=registry
        )
        self._stages = _LabelledHistogram(
            Histogram(
                "frontdesk_stage_duration_seconds",
                "Time per stage of an answer",
                ("stage",),
                buckets=_SECONDS,
                registry=registry,
            )
        )
        self._skipped = _LabelledCounter(
            Counter("frontdesk_skipped_total", "Answers without a part of the system", ("part",), registry=registry)
        )

    def _add_model_metrics(self, registry: CollectorRegistry) -> None:
        self._cache = _LabelledCounter(
            Counter(
                "frontdesk_score_cache_texts_total", "Texts by outcome of the look-up", ("outcome",), registry=registry
            )
        )
        self._model = Gauge(
            "frontdesk_model_info",
            "1 for the model version that answers",
            ("version",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._waiting = Gauge(
            "frontdesk_waiting_texts", "Texts waiting for a model", registry=registry, multiprocess_mode="livesum"
        )
        self._lag = Histogram(
            "frontdesk_event_loop_lag_seconds",
            "Delay of a due timer in the event loop; a stall of 50 ms or more delays every request",
            buckets=_SECONDS,
            registry=registry,
        )
        self._longest_lag = Gauge(
            "frontdesk_event_loop_lag_longest_seconds",
            "The longest lag of the last minutes in any worker",
            registry=registry,
            multiprocess_mode="livemax",
        )

    def _add_storage_metrics(self, registry: CollectorRegistry) -> None:
        self._commits = _LabelledHistogram(
            Histogram(
                "frontdesk_commit_seconds",
                "Duration of a transaction, by store: database, spool, drain",
                ("store",),
                buckets=_SECONDS,
                registry=registry,
            )
        )
        self._audit_merged = _LabelledCounter(
            Counter(
                "frontdesk_audit_merged_total",
                "Requests that the audit log aggregates into one entry, because a caller has too many different ones",
                ("action",),
                registry=registry,
            )
        )
        self._spooled = Counter("frontdesk_spooled_total", "Answers acknowledged from the spool", registry=registry)
        self._spool_rows = _SpoolGauges(registry)
        self._disk_free = Gauge(
            "frontdesk_disk_free_bytes",
            "Free space of the fullest file system that the record is written to",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._keys = _LabelledCounter(
            Counter(
                "frontdesk_idempotency_keys_total",
                "Idempotency-Keys by outcome",
                ("outcome",),
                registry=registry,
            )
        )
        self._outbox = _OutboxMetrics(registry)

    def observe_answer(self, answer: Answer) -> None:
        """Count one answer: intent, action, sentiment, priority, confidence, stage durations and skipped parts."""
        self._queries.add(answer.intent.label, answer.decision.action.value)
        self._sentiments.add(answer.sentiment.label)
        self._priorities.add(answer.priority.level.value)
        self._confidence.observe(answer.intent.confidence)
        self._uncertainty.observe(answer.uncertainty.score)
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.observe(stage, milliseconds / 1000)
        for part in answer.skipped:
            self._skipped.add(part)

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. `route` is its template; unknown methods are counted as OTHER."""
        self._requests.add(route, method if method in _METHODS else "OTHER", str(status))
        self._durations.observe(route, seconds)

    def observe_rejection(self, kind: str) -> None:
        """Count one refusal by its `frontdesk.errors.Kind`."""
        self._rejected.add(kind)

    def observe_rate_limited(self, limit: str) -> None:
        """Count one request that a limit refused: "caller", "tenant" or "total"."""
        self._limited.add(limit)

    def observe_rate_limit_check(self, window_store: str) -> None:
        """Count one request, checked against "redis" (limits of all workers) or "process" (this worker's share)."""
        self._limit_checks.add(window_store)

    def observe_score_cache(self, outcome: str) -> None:
        """Count one text: "hit" (cached), "joined" (another request is computing it) or "miss"."""
        self._cache.add(outcome)

    def set_model_version(self, version: str) -> None:
        """Set the served version; the previous one drops to 0."""
        if self._version not in (None, version):
            self._model.labels(self._version).set(0)
        self._model.labels(version).set(1)
        self._version = version

    def set_waiting_texts(self, texts: int) -> None:
        """Set the number of texts that wait for a model in this process."""
        self._waiting.set(texts)

    def observe_loop_lag(self, seconds: float) -> None:
        """Record the event loop lag of one timer."""
        self._lag.observe(seconds)

    def set_longest_loop_lag(self, seconds: float) -> None:
        """Set the longest event loop lag of the last minutes in this process."""
        self._longest_lag.set(seconds)

    def observe_commit(self, store: str, seconds: float) -> None:
        """Record the duration of one transaction of the recorder: "database", "spool" or "drain"."""
        self._commits.observe(store, seconds)

    def count_merged_audit_request(self, action: str) -> None:
        """Count one request that the audit log merged into a summary entry."""
        self._audit_merged.add(action)

    def count_spooled_answer(self) -> None:
        """Count one answer that was acknowledged from the spool."""
        self._spooled.inc()

    def set_disk_free(self, free_bytes: int) -> None:
        """Set the free space of the fullest file system that the record is written to."""
        self._disk_free.set(free_bytes)

    def set_spool(self, waiting: int, refused: int) -> None:
        """Set the number of answers in this host's spool: those that wait, and those that the database refuses."""
        self._spool_rows.set(waiting, refused)

    def count_idempotency_key(self, outcome: str) -> None:
        """Count one Idempotency-Key: "taken", "replayed", "in_flight", "reused", "freed" or "answered_twice"."""
        self._keys.add(outcome)

    def count_delivered_events(self, sink: str, events: int) -> None:
        """Count events that a sink accepted."""
        self._outbox.delivered.labels(sink).inc(events)

    def set_outbox(self, sink: str, waiting: int, dead: int, oldest_s: float) -> None:
        """Set a sink's numbers of waiting and dead events, and the age of the oldest waiting event in seconds."""
        self._outbox.waiting.labels(sink).set(waiting)
        self._outbox.dead.labels(sink).set(dead)
        self._outbox.oldest.labels(sink).set(oldest_s)

    def set_connections(self, connections: int) -> None:
        """Set the number of open HTTP connections of this process."""
        self._connections.set(connections)

    def count_closed_connection(self, reason: str) -> None:
        """Count a connection that the server closed or refused, by reason.

        Closed: "idle", "headers", "handshake", "body", "no_response", "unread_body", "response_stalled",
        "response_memory", "malformed", "evicted", and of gRPC "grpc_calls". Refused: "cap", "address_cap".
        """
        self._closed.add(reason)

    def count_body_memory_refusal(self) -> None:
        """Count one request that was refused because request bodies use all the memory that they may use."""
        self._body_refusals.inc()

    def render(self) -> tuple[bytes, str]:
        """Return the text exposition and its content type; in multi-process mode the sum over all workers."""
        if _MULTI_PROCESS not in os.environ:
            return generate_latest(self._registry), CONTENT_TYPE_LATEST
        collected = CollectorRegistry()
        multiprocess.MultiProcessCollector(collected)  # type: ignore[no-untyped-call] # not annotated by prometheus_client
        return generate_latest(collected), CONTENT_TYPE_LATEST


def mark_process_dead(pid: int) -> None:
    """Remove the live gauges of a worker that has died. Its counters stay in the sums. No-op with a single process."""
    if _MULTI_PROCESS in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call] # not annotated by prometheus_client


class _OutboxMetrics:
    """Metrics of the whole outbox, set by the process that delivers events. The newest value of any process counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, description: str) -> Gauge:
            return Gauge(
                f"frontdesk_outbox_{name}",
                description,
                ("sink",),
                registry=registry,
                multiprocess_mode="livemostrecent",
            )

        self.delivered = Counter(
            "frontdesk_outbox_delivered_total", "Events that were delivered", ("sink",), registry=registry
        )
        self.waiting = gauge("waiting", "Events that wait for a sink")
        self.dead = gauge("dead", "Dead-lettered events")
        self.oldest = gauge("oldest_seconds", "Age of the oldest waiting event")


class _LabelledCounter:
    """Children of a labelled counter, cached by label values: `labels()` would take a lock each time."""

    __slots__ = ("_children", "_family")

    def __init__(self, family: Counter) -> None:
        self._family = family
        self._children: dict[tuple[str, ...], Counter] = {}

    def add(self, *labels: str) -> None:
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._family.labels(*labels)
        child.inc()


class _LabelledHistogram:
    """Children of a histogram, cached by the value of its single label."""

    __slots__ = ("_children", "_family")

    def __init__(self, family: Histogram) -> None:
        self._family = family
        self._children: dict[str, Histogram] = {}

    def observe(self, label: str, value: float) -> None:
        child = self._children.get(label)
        if child is None:
            child = self._children[label] = self._family.labels(label)
        child.observe(value)


class _SpoolGauges:
    """Metrics of the spool. All workers of a host have the same spool, so the newest value of any worker counts."""

    __slots__ = ("_refused", "_waiting")

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge(
            "frontdesk_spool_waiting",
            "Answers that wait in the spool",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._refused = Gauge(
            "frontdesk_spool_refused",
            "Answers in the spool that the database refuses",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )

    def set(self, waiting: int, refused: int) -> None:
        self._waiting.set(waiting)
        self._refused.set(refused)
