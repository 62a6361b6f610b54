"""PostgreSQL dies, or stands still, under load. Answers go on from the spool, which empties itself once it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.faults.load import failures
from tests.faults.outcome import Form, Grounds, Outcome, Promise
from tests.faults.system_under_test import Stage, on_stage
from tests.support.postgresql import PostgreSql

PAUSE_S = 0.05  # eight clients then write about a hundred requests a second
ANSWERED_WITHIN_S = 2.0
DRAINED_WITHIN_S = 5.0
DRAINED_PER_S = 200  # the least rows a second at which the backlog moves over


def killed(grounds: Grounds, form: Form) -> Outcome:
    """kill -9 of all its processes, then a start on the same data, which recovers."""
    return _play(grounds, form, PostgreSql.kill, PostgreSql.start)


def frozen(grounds: Grounds, form: Form) -> Outcome:
    """SIGSTOP: connections stay open and say nothing, as when a disk or a network hangs."""
    return _play(grounds, form, PostgreSql.stop, PostgreSql.cont)


def _play(
    grounds: Grounds, form: Form, goes: Callable[[PostgreSql], None], comes: Callable[[PostgreSql], None]
) -> Outcome:
    postgresql = grounds.postgresql()
    url = postgresql.fresh_database()
    try:
        with on_stage(grounds.bundle, grounds.folder, database_url=url) as stage:
            late = []
            for fault in range(form.faults):
                drained_s, backlog = _one(stage, postgresql, form, goes, comes)
                late.append(drained_s - backlog / DRAINED_PER_S)
                grounds.tell(
                    f"{fault + 1} of {form.faults}: {backlog} spooled, drained {drained_s:.1f} s after its return"
                )
            attempts = stage.load.attempts()
            promises = (
                Promise("requests not answered with 200", 0, failures(attempts)),
                Promise("longest answer, s", ANSWERED_WITHIN_S, max(attempt.seconds for attempt in attempts)),
                Promise("drained after its return, s, without the backlog's own time", DRAINED_WITHIN_S, max(late)),
            )
            return Outcome(form.faults, stage.verdict(), promises)
    finally:
        postgresql.drop_database(url)


def _one(
    stage: Stage,
    postgresql: PostgreSql,
    form: Form,
    goes: Callable[[PostgreSql], None],
    comes: Callable[[PostgreSql], None],
) -> tuple[float, int]:
    """One outage: how long it took to drain what was spooled, and how much that was."""
    with stage.load.burst(form.requests_each, pause_s=PAUSE_S):
        stage.load.wait_for(form.requests_each // 4)
        goes(postgresql)
        try:
            time.sleep(form.away_s)
            stage.load.wait_for(form.requests_each // 4)
        finally:
            comes(postgresql)
        backlog = stage.spooled()
        drained_s = stage.wait_until_drained()
    return drained_s, backlog
