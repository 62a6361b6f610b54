"""An API worker is killed under load. Its connections break; the other worker continues until BentoML replaces it."""

from __future__ import annotations

from tests.faults.outcome import FaultPlan, Outcome, Resources
from tests.faults.system_under_test import SHORT_LEASES, run_system


def run(resources: Resources, plan: FaultPlan) -> Outcome:
    with run_system(resources.bundle, resources.folder, **SHORT_LEASES) as system:
        for fault in range(plan.faults):
            with system.load.burst(plan.requests_each):
                system.load.wait_for(plan.requests_each // 3)
                system.kill_worker()
            back_s = system.wait_for_workers()
            resources.log(f"worker {fault + 1} of {plan.faults} killed, replaced after {back_s:.0f} s")
        return Outcome(plan.faults, system.verdict())
