"""Fail points: places of the write path at which a test kills the process, without handlers or clean-up.

A process that was started with FRONTDESK_CRASH_AT=NAME, or NAME:3, kills itself with SIGKILL when it reaches that point
for the first, or third, time. With FRONTDESK_CRASH_AT=/path/to/a/file, the file holds the name of the point, and the
process that reaches the point deletes the file and dies. So one of several workers dies, its replacement does not die
again, and a test may write the next name without a restart.

Without the variable, a fail point is a call that does nothing. Every name is in `FAIL_POINTS`. An unknown name is
rejected at start, because a test that never reaches its point would prove nothing.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Lock

from frontdesk.errors import ConfigurationError

VARIABLE = "FRONTDESK_CRASH_AT"

FAIL_POINTS = (
    "claim.before_commit",  # the key is claimed in an open transaction
    "claim.after_commit",  # the claim is committed; the request has not been notified
    "rows.built",  # the answer exists; none of it is written
    "commit.before_begin",  # a batch was taken off the queue
    "commit.before_commit",  # its rows are in an open transaction
    "commit.after_commit",  # they are committed; no request has been notified
    "acknowledge.before",  # the request has been notified; its caller has no response
    "spool.before_commit",
    "spool.after_commit",
    "drain.before_commit",  # spooled rows are in an open transaction of the database
    "drain.after_commit",  # they are stored twice: in the database and in the spool
    "drain.after_delete",
    "free.before_commit",  # a claim is being released
    "outbox.before_deliver",
    "outbox.after_deliver",  # the sink has the events; they are still in the outbox
    "outbox.after_delete",
)


def _parse_point(value: str | None) -> tuple[str, int] | None:
    """Parse NAME[:N]: the fail point and the occurrence at which to trigger it.

    Raises:
        ConfigurationError: there is no such point, or N is not a number above 0.
    """
    if not value or value.startswith("/"):
        return None
    name, _, occurrence = value.partition(":")
    if name not in FAIL_POINTS or not (occurrence == "" or (occurrence.isdecimal() and int(occurrence) > 0)):
        raise ConfigurationError(
            f"{VARIABLE} names no fail point.",
            hint=f"Write NAME, NAME:TIMES or /a/file, with a name out of {FAIL_POINTS}.",
        )
    return name, int(occurrence or 1)


def _parse_file(value: str | None) -> Path | None:
    return Path(value) if value and value.startswith("/") else None


_POINT = _parse_point(os.environ.get(VARIABLE))
_FILE = _parse_file(os.environ.get(VARIABLE))
_occurrences = 0
_occurrences_lock = Lock()


def fail_point(name: str) -> None:
    """Kill the process if this is the point and the occurrence that it was started with, or the point in the file."""
    if _FILE is not None:
        _crash_if_named_in(_FILE, name)
    if _POINT is None or _POINT[0] != name:
        return
    global _occurrences
    with _occurrences_lock:
        _occurrences += 1
        if _occurrences == _POINT[1]:
            os.kill(os.getpid(), signal.SIGKILL)


def _crash_if_named_in(file: Path, name: str) -> None:
    """Kill the process if the file names this point. Of several processes, the one that deletes the file dies."""
    with suppress(FileNotFoundError):
        if file.read_text(encoding="utf-8") == name:
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
