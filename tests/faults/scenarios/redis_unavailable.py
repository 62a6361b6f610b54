"""Redis is killed and returns empty, or is frozen. It only improves answers, so clients must not notice."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence

from tests.faults.history import Request
from tests.faults.load import failures
from tests.faults.outcome import FaultPlan, Outcome, Resources, TimeLimit
from tests.faults.system_under_test import run_system
from tests.support.redis_server import RedisServer

PAUSE_S = 0.05
LATER_BY_MS = 20.0


def killed(resources: Resources, plan: FaultPlan) -> Outcome:
    """Kill it with SIGKILL, then start it without data."""
    return _run(resources, plan, lambda redis: redis.kill(), lambda redis: redis.start())


def frozen(resources: Resources, plan: FaultPlan) -> Outcome:
    """Stop it with SIGSTOP: connections stay open without a response."""
    return _run(resources, plan, lambda redis: redis.stop(), lambda redis: redis.cont())


def _run(
    resources: Resources, plan: FaultPlan, goes: Callable[[RedisServer], None], comes: Callable[[RedisServer], None]
) -> Outcome:
    redis = resources.redis()
    with run_system(resources.bundle, resources.folder, redis__url=redis.url) as system:
        with_it: list[float] = []
        without: list[float] = []
        for fault in range(plan.faults):
            sent = len(system.load.history())
            system.load.send(plan.requests_each // 2, pause_s=PAUSE_S)
            before = system.load.history()
            goes(redis)
            try:
                with system.load.burst(plan.requests_each // 2, pause_s=PAUSE_S):
                    time.sleep(plan.outage_s)
            finally:
                comes(redis)
            with_it += _history_wait_ms(before[sent:])
            without += _history_wait_ms(system.load.history()[len(before) :])
            resources.log(
                f"{fault + 1} of {plan.faults}: asking Redis took {_describe(with_it)}; away {_describe(without)}"
            )
        time_limits = (
            TimeLimit("requests not answered with 200", 0, failures(system.load.attempts())),
            TimeLimit("an answer is later by, ms, p95", LATER_BY_MS, _p95(without) - _p95(with_it)),
        )
        return Outcome(plan.faults, system.verdict(), time_limits)


def _history_wait_ms(requests: Sequence[Request]) -> list[float]:
    """Return how long each answer waited for the customer history in Redis, measured by the server.

    A client's measurement contains noise of the machine that is ten times as large.
    """
    answers = (json.loads(request.answers[0].body) for request in requests if request.answers)
    return [answer["timings_ms"]["history"] for answer in answers]


def _p95(milliseconds: Sequence[float]) -> float:
    return statistics.quantiles(milliseconds, n=20)[-1]


def _describe(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds):.1f} ms, p95 {_p95(milliseconds):.1f} ms"
