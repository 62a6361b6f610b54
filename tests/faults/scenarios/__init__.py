"""Every way to suffer, with its short form, which is one of the tests, and its long form, which `make faults` runs."""

from __future__ import annotations

from tests.faults.outcome import Form, Scenario
from tests.faults.scenarios import crash_points, disk_full, postgresql_away, redis_away, sink_down, worker_killed
from tests.support import postgresql, redis_server

SCENARIOS = (
    Scenario("worker killed", worker_killed.play, Form(2, 100), Form(20, 510)),
    Scenario("PostgreSQL killed", postgresql_away.killed, Form(2, 100, 2), Form(10, 1010, 5), postgresql.missing),
    Scenario("PostgreSQL frozen", postgresql_away.frozen, Form(1, 200, 5), Form(10, 1010, 5), postgresql.missing),
    Scenario("Redis killed", redis_away.killed, Form(2, 100, 1), Form(10, 1010, 5)),
    Scenario("Redis frozen", redis_away.frozen, Form(2, 100, 1), Form(10, 1010, 5), redis_server.missing),
    Scenario("disk full", disk_full.play, Form(2, 100, 1), Form(10, 1010, 5), disk_full.missing),
    Scenario("sink down", sink_down.play, Form(2, 100, 2), Form(1, 10_010, 600)),
    Scenario("crash points", crash_points.play, Form(1, 15), Form(1, 640)),
)
