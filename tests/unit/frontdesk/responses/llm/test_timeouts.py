from __future__ import annotations

from frontdesk.deadline import Deadline
from frontdesk.responses.llm.timeouts import CallTimer, TimeoutLimits

LIMITS = TimeoutLimits(first_token_s=4.0, stall_s=2.0, total_s=8.0, slow_s=2.0)


class ManualTimer:
    def __init__(self, caller_s: float = 60.0) -> None:
        self.now = 0.0
        self.call_timer = CallTimer(LIMITS, Deadline(LIMITS.total_s), Deadline(caller_s), lambda: self.now)

    def text_at(self, now: float) -> None:
        self.now = now
        self.call_timer.record_text()
        self.call_timer.restart_stall_timeout()


def test_the_timeouts_are_first_token_then_stall_then_total() -> None:
    timer = ManualTimer()
    assert timer.call_timer.remaining_s() == 4.0
    timer.text_at(1.0)
    assert timer.call_timer.remaining_s() == 2.0
    timer.text_at(7.5)
    assert timer.call_timer.remaining_s() == 0.5
    timer.now = 9.0
    assert timer.call_timer.remaining_s() == 0.0
    assert timer.call_timer.first_token_s == 1.0


def test_the_callers_deadline_limits_every_wait() -> None:
    assert ManualTimer(caller_s=0.5).call_timer.remaining_s() == 0.5


def test_the_server_is_at_fault_for_its_own_limits_only() -> None:
    hanging = ManualTimer()
    hanging.now = 4.0
    assert hanging.call_timer.is_server_at_fault()
    hurried = ManualTimer(caller_s=1.0)
    hurried.now = 1.0
    assert not hurried.call_timer.is_server_at_fault()


def test_a_slow_first_token_is_the_servers_fault_and_a_long_answer_is_not() -> None:
    silent = ManualTimer(caller_s=3.0)
    silent.now = 3.0
    assert silent.call_timer.is_server_at_fault()
    writing = ManualTimer(caller_s=3.0)
    writing.text_at(1.5)
    writing.now = 3.0
    assert not writing.call_timer.is_server_at_fault()
