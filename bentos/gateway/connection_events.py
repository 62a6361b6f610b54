"""Metrics and access log of a worker's connections."""

from __future__ import annotations

from collections.abc import Callable

from bentos.admission.defaults import UNKNOWN_ROUTE
from bentos.worker.worker_context import WorkerContext
from frontdesk.observability.logs import log_access

OTHER_METHOD = "OTHER"


class ConnectionObserver:
    """`worker` returns this worker's parts, or None before it has started; events are not counted until then."""

    def __init__(self, worker: Callable[[], WorkerContext | None], *, access_log: bool) -> None:
        self._worker = worker
        self._access_log = access_log

    def on_closed(self, reason: str) -> None:
        if (worker := self._worker()) is not None:
            worker.telemetry.metrics.count_closed_connection(reason)

    def on_connection_count(self, connections: int) -> None:
        if (worker := self._worker()) is not None:
            worker.telemetry.metrics.set_connections(connections)

    def on_request_refused(self, status: int, request_id: str, client: str | None) -> None:
        """Count and log a malformed request or a surplus connection, which was answered without the application."""
        if (worker := self._worker()) is not None:
            worker.telemetry.metrics.observe_request(UNKNOWN_ROUTE, OTHER_METHOD, status, 0.0)
        if self._access_log:
            log_access(
                method=OTHER_METHOD,
                route=UNKNOWN_ROUTE,
                status=status,
                duration_ms=0.0,
                request_id=request_id,
                tenant="",
                subject="",
                client=client,
                bytes_in=0,
                bytes_out=0,
            )
