"""PostgreSQL is killed or frozen under load. Answers go to the spool, which is drained when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.faults.load import failures
from tests.faults.outcome import FaultPlan, Outcome, Resources, TimeLimit
from tests.faults.system_under_test import SystemUnderTest, run_system
from tests.support.postgresql import PostgreSql

PAUSE_S = 0.05  # eight clients then write about a hundred requests a second
ANSWERED_WITHIN_S = 2.0
DRAINED_WITHIN_S = 5.0
DRAINED_PER_S = 200  # minimum rate at which the spool is drained, rows per second


def killed(resources: Resources, plan: FaultPlan) -> Outcome:
    """Kill all its processes with SIGKILL, then start it on the same data, which it recovers."""
    return _run(resources, plan, PostgreSql.kill, PostgreSql.start)


def frozen(resources: Resources, plan: FaultPlan) -> Outcome:
    """Stop it with SIGSTOP: connections stay open without a response, as when a disk or a network hangs."""
    return _run(resources, plan, PostgreSql.stop, PostgreSql.cont)


def _run(
    resources: Resources, plan: FaultPlan, goes: Callable[[PostgreSql], None], comes: Callable[[PostgreSql], None]
) -> Outcome:
    postgresql = resources.postgresql()
    url = postgresql.fresh_database()
    try:
        with run_system(resources.bundle, resources.folder, database_url=url) as system:
            late = []
            for fault in range(plan.faults):
                drained_s, backlog = _run_outage(system, postgresql, plan, goes, comes)
                late.append(drained_s - backlog / DRAINED_PER_S)
                resources.log(
                    f"{fault + 1} of {plan.faults}: {backlog} spooled, drained {drained_s:.1f} s after its return"
                )
            attempts = system.load.attempts()
            time_limits = (
                TimeLimit("requests not answered with 200", 0, failures(attempts)),
                TimeLimit("longest answer, s", ANSWERED_WITHIN_S, max(attempt.seconds for attempt in attempts)),
                TimeLimit("drained after its return, s, without the backlog's own time", DRAINED_WITHIN_S, max(late)),
            )
            return Outcome(plan.faults, system.verdict(), time_limits)
    finally:
        postgresql.drop_database(url)


def _run_outage(
    system: SystemUnderTest,
    postgresql: PostgreSql,
    plan: FaultPlan,
    goes: Callable[[PostgreSql], None],
    comes: Callable[[PostgreSql], None],
) -> tuple[float, int]:
    """Run one outage; return the time to drain the spool, in seconds, and the number of spooled requests."""
    with system.load.burst(plan.requests_each, pause_s=PAUSE_S):
        system.load.wait_for(plan.requests_each // 4)
        goes(postgresql)
        try:
            time.sleep(plan.outage_s)
            system.load.wait_for(plan.requests_each // 4)
        finally:
            comes(postgresql)
        backlog = system.spooled()
        drained_s = system.wait_until_drained()
    return drained_s, backlog
