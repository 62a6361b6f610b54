"""Metrics and access log of one worker."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from frontdesk.observability.logs import log_access
from frontdesk.observability.metrics import Metrics
from frontdesk.types import Caller


class ObservedRequest(Protocol):
    """A completed request: `route` is a template, `status` the HTTP status, `started` from `time.perf_counter`."""

    method: str
    route: str
    status: int
    started: float
    request_id: str
    caller: Caller
    bytes_in: int
    bytes_out: int

    @property
    def client(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Metrics, and the access log with one line per request if `access_log` is True."""

    metrics: Metrics
    access_log: bool

    def observe(self, request: ObservedRequest) -> None:
        """Count a request and write its line of the access log."""
        seconds = time.perf_counter() - request.started
        self.metrics.observe_request(request.route, request.method, request.status, seconds)
        if self.access_log:
            log_access(
                method=request.method,
                route=request.route,
                status=request.status,
                duration_ms=seconds * 1000,
                request_id=request.request_id,
                tenant=request.caller.tenant,
                subject=request.caller.subject,
                client=request.client,
                bytes_in=request.bytes_in,
                bytes_out=request.bytes_out,
            )
