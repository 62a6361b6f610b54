"""Freeze, resume or kill a server process with all its child processes, for fault tests."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

ENDED_TIMEOUT_S = 10.0


def freeze(pid: int) -> None:
    """Send SIGSTOP to the parent first, so that it forks no processes while its children are listed."""
    _send(pid, signal.SIGSTOP)
    for child in _children(pid):
        _send(child.pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    for child in _children(pid):
        _send(child.pid, signal.SIGCONT)
    _send(pid, signal.SIGCONT)


def kill(pid: int) -> None:
    """Send SIGKILL to the whole tree and wait for the children; the caller must reap the parent."""
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
