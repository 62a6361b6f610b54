"""Metrics: the effect of each observation, and the sum over all workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

import frontdesk
from frontdesk.observability.metrics import Metrics, mark_process_dead
from frontdesk.types import (
    Action,
    Answer,
    Decision,
    Intent,
    Priority,
    PriorityLevel,
    Sentiment,
    Uncertainty,
)

PROJECT = Path(frontdesk.__file__).resolve().parent.parent

ANSWER = Answer(
    query_id="0190",
    intent=Intent("cancel_order", 0.91, (), in_scope=True, out_of_scope_probability=0.01),
    sentiment=Sentiment("negative", 0.8, {}),
    priority=Priority(PriorityLevel.HIGH, 70.0, ()),
    uncertainty=Uncertainty(0.25, 0.1, 0.15, "ensemble"),
    decision=Decision(Action.DRAFT, (), ()),
    members=(),
    model_version="v7",
    skipped=("history", "mc_samples"),
    timings_ms={"mask": 0.02, "models": 12.0},
)


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def samples(metrics: Metrics) -> dict[str, float]:
    """Values by sample: the metric name, then the label values in the order of the label names."""
    body, _ = metrics.render()
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_an_answer_is_counted_by_intent_action_and_labels(metrics: Metrics) -> None:
    metrics.observe_answer(ANSWER)
    metrics.observe_answer(ANSWER)
    values = samples(metrics)
    assert values["frontdesk_queries_total draft cancel_order"] == 2
    assert values["frontdesk_sentiments_total negative"] == 2
    assert values["frontdesk_priorities_total high"] == 2
    assert values["frontdesk_skipped_total history"] == 2
    assert values["frontdesk_skipped_total mc_samples"] == 2


def test_confidence_and_uncertainty_fall_into_tenths(metrics: Metrics) -> None:
    metrics.observe_answer(ANSWER)
    values = samples(metrics)
    assert values["frontdesk_confidence_bucket 0.9"] == 0
    assert values["frontdesk_confidence_bucket 1.0"] == 1
    assert values["frontdesk_uncertainty_score_bucket 0.2"] == 0
    assert values["frontdesk_uncertainty_score_bucket 0.3"] == 1


def test_stage_times_are_in_seconds(metrics: Metrics) -> None:
    metrics.observe_answer(ANSWER)
    values = samples(metrics)
    assert values["frontdesk_stage_duration_seconds_sum models"] == pytest.approx(0.012)
    assert values["frontdesk_stage_duration_seconds_count mask"] == 1


def test_a_request_is_counted_and_timed_by_its_route(metrics: Metrics) -> None:
    metrics.observe_request("/v1/queries/{id}", "GET", 404, 0.004)
    values = samples(metrics)
    assert values["frontdesk_http_requests_total GET /v1/queries/{id} 404"] == 1
    assert values["frontdesk_http_request_duration_seconds_sum /v1/queries/{id}"] == pytest.approx(0.004)
    assert values["frontdesk_http_request_duration_seconds_bucket 0.0025 /v1/queries/{id}"] == 0
    assert values["frontdesk_http_request_duration_seconds_bucket 0.005 /v1/queries/{id}"] == 1


def test_buckets_reach_from_a_millisecond_to_ten_seconds(metrics: Metrics) -> None:
    metrics.observe_request("/", "GET", 200, 0.0)
    limits = [sample.split()[1] for sample in samples(metrics) if "request_duration_seconds_bucket" in sample]
    assert (limits[0], limits[-2], limits[-1]) == ("0.001", "10.0", "+Inf")


def test_unknown_methods_do_not_create_new_series(metrics: Metrics) -> None:
    for number in range(50):
        metrics.observe_request("/", f"HACK{number}", 405, 0.001)
    requests = {sample: value for sample, value in samples(metrics).items() if "requests_total" in sample}
    assert requests == {"frontdesk_http_requests_total OTHER / 405": 50}


def test_a_rejection_is_counted_by_kind(metrics: Metrics) -> None:
    metrics.observe_rejection("overloaded")
    assert samples(metrics)["frontdesk_rejected_total overloaded"] == 1


def test_only_the_served_version_is_one(metrics: Metrics) -> None:
    metrics.set_model_version("v7")
    metrics.set_model_version("v7")
    assert samples(metrics)["frontdesk_model_info v7"] == 1
    metrics.set_model_version("v8")
    values = samples(metrics)
    assert (values["frontdesk_model_info v7"], values["frontdesk_model_info v8"]) == (0, 1)


def test_waiting_is_the_last_value(metrics: Metrics) -> None:
    metrics.set_waiting_texts(9)
    metrics.set_waiting_texts(4)
    assert samples(metrics)["frontdesk_waiting_texts"] == 4


def test_the_content_type_is_that_of_the_text_format(metrics: Metrics) -> None:
    _, content_type = metrics.render()
    assert content_type.startswith("text/plain; version=")


def test_a_second_set_on_the_same_registry_is_refused() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(registry)


WORKER = """
import os, sys
from frontdesk.observability.metrics import Metrics
metrics = Metrics()
for _ in range(int(sys.argv[1])):
    metrics.observe_request("/v1/understand", "POST", 200, 0.01)
metrics.set_waiting_texts(int(sys.argv[1]))
metrics.set_model_version("v7")
print(os.getpid())
"""


def test_any_worker_shows_the_sum_over_all_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    first, _ = (
        subprocess.run(
            [sys.executable, "-c", WORKER, requests], check=True, capture_output=True, text=True, env=dict(os.environ)
        ).stdout
        for requests in ("3", "4")
    )
    here = Metrics(CollectorRegistry())
    values = samples(here)
    assert values["frontdesk_http_requests_total POST /v1/understand 200"] == 7
    assert values["frontdesk_http_request_duration_seconds_count /v1/understand"] == 7
    assert values["frontdesk_waiting_texts"] == 7
    assert values["frontdesk_model_info v7"] == 1

    mark_process_dead(int(first))
    after = samples(here)
    assert after["frontdesk_waiting_texts"] == 4
    assert after["frontdesk_http_requests_total POST /v1/understand 200"] == 7


def test_marking_a_process_dead_changes_nothing_with_a_single_process(metrics: Metrics) -> None:
    metrics.set_waiting_texts(4)
    mark_process_dead(os.getpid())
    assert samples(metrics)["frontdesk_waiting_texts"] == 4


def test_metric_files_have_all_their_disk_blocks(tmp_path: Path) -> None:
    """On a full disk, writing to a sparse mapped file ends the process with SIGBUS."""
    program = "from frontdesk.observability.metrics import Metrics; Metrics().observe_rejection('not_found')"
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    files = [file.stat() for file in tmp_path.iterdir()]
    assert len(files) >= 4
    assert all(file.st_blocks * 512 >= file.st_size for file in files)
