from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from bentos.worker.telemetry import Telemetry
from frontdesk.observability.metrics import Metrics
from frontdesk.types import Caller


@dataclass
class Ended:
    method: str = "POST"
    route: str = "/v1/understand"
    status: int = 200
    started: float = field(default_factory=lambda: time.perf_counter() - 0.25)
    request_id: str = "request-1"
    caller: Caller = field(default_factory=lambda: Caller("acme", "agent", frozenset()))
    client: str | None = "127.0.0.1"
    bytes_in: int = 3
    bytes_out: int = 5


@pytest.mark.parametrize("access_log", [True, False])
def test_a_request_is_counted_and_has_a_line_in_the_access_log_if_there_is_one(access_log: bool) -> None:
    metrics = Metrics(CollectorRegistry())
    with capture_logs() as lines:
        Telemetry(metrics=metrics, access_log=access_log).observe(Ended())
    assert b'route="/v1/understand",status="200"' in metrics.render()[0]
    if not access_log:
        assert lines == []
        return
    (line,) = lines
    assert 250 <= line.pop("duration_ms") < 2000
    assert line == {
        "event": "request", "log_level": "info", "method": "POST", "route": "/v1/understand", "status": 200,
        "request_id": "request-1", "tenant": "acme", "subject": "agent", "client": "127.0.0.1",
        "bytes_in": 3, "bytes_out": 5,
    }  # fmt: skip
