"""The sink takes nothing: a folder stands where its file should be. Answers do not notice; events wait, and come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.load import OK
from tests.faults.outcome import Form, Grounds, Outcome, Promise
from tests.faults.stage import on_stage

PAUSE_S = 0.05


def play(grounds: Grounds, form: Form) -> Outcome:
    with on_stage(grounds.bundle, grounds.folder) as stage:
        assert stage.sink
        waited = 0
        for fault in range(form.faults):
            with stage.load.burst(form.requests_each, pause_s=PAUSE_S):
                stage.load.wait_for(form.requests_each // 4)
                with _in_the_way(stage.sink):
                    time.sleep(form.away_s)
                    stage.load.wait_for(form.requests_each // 4)
                    waited = max(waited, stage.left_behind())
            quiet_s = stage.wait_until_quiet(max(120.0, form.away_s))
            grounds.tell(f"{fault + 1} of {form.faults}: {waited} events waited, all came within {quiet_s:.1f} s")
        refused = sum(attempt.status != OK for attempt in stage.load.attempts())
        return Outcome(form.faults, stage.verdict(), (Promise("requests that were refused", 0, refused),))


@contextmanager
def _in_the_way(sink: Path) -> Iterator[None]:
    """What the sink has written is put aside, and comes back to its place."""
    aside = sink.with_suffix(".aside")
    if sink.exists():
        sink.rename(aside)
    sink.mkdir()
    try:
        yield
    finally:
        sink.rmdir()
        if aside.exists():
            aside.rename(sink)
