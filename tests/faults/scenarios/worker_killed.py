"""An API worker is killed under load. Its connections break; the other worker continues until BentoML replaces it."""

from __future__ import annotations

from tests.faults.outcome import FaultPlan, Outcome, Resources
from tests.faults.system_under_test import SHORT_LEASES, on_stage


def run(resources: Resources, form: FaultPlan) -> Outcome:
    with on_stage(resources.bundle, resources.folder, **SHORT_LEASES) as system:
        for fault in range(form.faults):
            with system.load.burst(form.requests_each):
                system.load.wait_for(form.requests_each // 3)
                system.kill_worker()
            back_s = system.wait_for_workers()
            resources.log(f"worker {fault + 1} of {form.faults} killed, replaced after {back_s:.0f} s")
        return Outcome(form.faults, system.verdict())
