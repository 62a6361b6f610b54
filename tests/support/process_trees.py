"""A real server's process and everything it forked, to be frozen, thawed or killed as a whole by a fault test."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

ENDED_TIMEOUT_S = 10.0


def freeze(pid: int) -> None:
    """SIGSTOP to the parent first, so that it forks nothing while its children are looked up."""
    _send(pid, signal.SIGSTOP)
    for child in _children(pid):
        _send(child.pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    for child in _children(pid):
        _send(child.pid, signal.SIGCONT)
    _send(pid, signal.SIGCONT)


def kill(pid: int) -> None:
    """SIGKILL to the whole tree; returns once none of it is left but, perhaps, a parent for its starter to reap."""
    freeze(pid)
    children = _children(pid)
    for process_id in (pid, *(child.pid for child in children)):
        _send(process_id, signal.SIGKILL)
    psutil.wait_procs(children, timeout=ENDED_TIMEOUT_S)


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _send(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
