"""Every scenario with its short form, which is a test, and its long form, which `make faults` runs.

The short forms of nightly scenarios run with `make faults` too, or by name with pytest.
"""

from __future__ import annotations

from tests.faults.outcome import FaultPlan, Scenario
from tests.faults.scenarios import (
    crash_points,
    disk_full,
    postgresql_unavailable,
    redis_unavailable,
    sink_down,
    worker_killed,
)
from tests.support import postgresql, redis_server

LONG = FaultPlan(10, 1010, 5)

SCENARIOS = (
    Scenario("worker killed", worker_killed.run, FaultPlan(2, 100), FaultPlan(20, 510)),
    Scenario("PostgreSQL killed", postgresql_unavailable.killed, FaultPlan(2, 100, 2), LONG, postgresql.missing),
    Scenario(
        "PostgreSQL frozen", postgresql_unavailable.frozen, FaultPlan(1, 200, 5), LONG, postgresql.missing, nightly=True
    ),
    Scenario("Redis killed", redis_unavailable.killed, FaultPlan(2, 100, 1), LONG, nightly=True),
    Scenario("Redis frozen", redis_unavailable.frozen, FaultPlan(2, 100, 1), LONG, redis_server.missing, nightly=True),
    Scenario("disk full", disk_full.run, FaultPlan(2, 100, 1), LONG, disk_full.missing),
    Scenario("sink down", sink_down.run, FaultPlan(2, 100, 2), FaultPlan(1, 10_010, 600), nightly=True),
    Scenario("crash points", crash_points.run, FaultPlan(1, 15), FaultPlan(1, 640)),
)
