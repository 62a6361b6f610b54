"""kill -9 of an API worker under load. Its connections break; the other worker goes on until BentoML replaces it."""

from __future__ import annotations

from tests.faults.outcome import Form, Grounds, Outcome
from tests.faults.system_under_test import SHORT_LEASES, on_stage


def play(grounds: Grounds, form: Form) -> Outcome:
    with on_stage(grounds.bundle, grounds.folder, **SHORT_LEASES) as stage:
        for fault in range(form.faults):
            with stage.load.burst(form.requests_each):
                stage.load.wait_for(form.requests_each // 3)
                stage.kill_worker()
            back_s = stage.wait_for_workers()
            grounds.tell(f"worker {fault + 1} of {form.faults} killed, replaced after {back_s:.0f} s")
        return Outcome(form.faults, stage.verdict())
