from __future__ import annotations

import asyncio
import time

from prometheus_client import CollectorRegistry

from frontdesk.observability import loop_lag
from frontdesk.observability.loop_lag import LoopLag
from frontdesk.observability.metrics import Metrics


async def test_a_stall_of_the_loop_is_measured() -> None:
    metrics = Metrics(CollectorRegistry())
    lag = LoopLag(metrics.observe_loop_lag, metrics.set_longest_loop_lag)
    lag.start()
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # on purpose: this is the stall
    await asyncio.sleep(0.05)
    lag.stop()
    exposition = metrics.render()[0].decode()
    lines = dict(line.rsplit(" ", 1) for line in exposition.splitlines() if line.startswith("frontdesk_event_loop_lag"))
    assert 0.25 < float(lines["frontdesk_event_loop_lag_longest_seconds"]) < 0.5
    slower = float(lines["frontdesk_event_loop_lag_seconds_count"])
    assert slower - float(lines['frontdesk_event_loop_lag_seconds_bucket{le="0.25"}']) == 1


async def test_the_longest_lag_expires_after_two_windows(monkeypatch: object) -> None:
    monkeypatch.setattr(loop_lag, "WINDOW_S", 0.1)  # type: ignore[attr-defined]
    exposition: list[float] = []
    lag = LoopLag(lambda _: None, exposition.append)
    lag.start()
    await asyncio.sleep(0.02)
    time.sleep(0.2)
    await asyncio.sleep(0.5)
    lag.stop()
    assert max(exposition) > 0.15
    assert exposition[-1] < 0.15
