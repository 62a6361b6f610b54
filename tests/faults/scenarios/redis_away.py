"""Redis dies, is empty when it comes back, or stands still. It only makes answers better, so nobody may notice."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from tests.faults.load import Attempt, failures
from tests.faults.outcome import Form, Grounds, Outcome, Promise
from tests.faults.stage import on_stage
from tests.redis_server import RedisServer

PAUSE_S = 0.05
SLOWER_BY_MS = 20.0


def killed(grounds: Grounds, form: Form) -> Outcome:
    """kill -9, then a start that knows nothing any more."""
    return _play(grounds, form, lambda redis: redis.kill(), lambda redis: redis.start())


def frozen(grounds: Grounds, form: Form) -> Outcome:
    """SIGSTOP: connections stay open and say nothing."""
    return _play(grounds, form, lambda redis: redis.stop(), lambda redis: redis.cont())


def _play(
    grounds: Grounds, form: Form, goes: Callable[[RedisServer], None], comes: Callable[[RedisServer], None]
) -> Outcome:
    redis = grounds.redis()
    with on_stage(grounds.bundle, grounds.folder, redis__url=redis.url) as stage:
        with_it: list[Attempt] = []
        without: list[Attempt] = []
        for fault in range(form.faults):
            begun = time.monotonic()
            stage.load.send(form.requests_each // 2, pause_s=PAUSE_S)
            gone = time.monotonic()
            goes(redis)
            try:
                with stage.load.burst(form.requests_each // 2, pause_s=PAUSE_S):
                    time.sleep(form.away_s)
            finally:
                comes(redis)
            with_it += stage.load.attempts(begun, gone)
            without += stage.load.attempts(gone)
            grounds.tell(f"{fault + 1} of {form.faults}: {_told(with_it)}; away {_told(without)}")
        promises = (
            Promise("requests not answered with 200", 0, failures(with_it) + failures(without)),
            Promise("p50 slower by, ms", SLOWER_BY_MS, _p50_ms(without) - _p50_ms(with_it)),
        )
        return Outcome(form.faults, stage.verdict(), promises)


def _p50_ms(attempts: Sequence[Attempt]) -> float:
    return statistics.median(attempt.seconds for attempt in attempts) * 1000


def _told(attempts: Sequence[Attempt]) -> str:
    p95_ms = statistics.quantiles((attempt.seconds for attempt in attempts), n=20)[-1] * 1000
    return f"p50 {_p50_ms(attempts):.1f} ms, p95 {p95_ms:.1f} ms"
