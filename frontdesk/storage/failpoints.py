"""Places of the write path at which a test lets a process die, as a power cut would: no handler, no clean-up.

A process that was started with FRONTDESK_CRASH_AT=NAME, or NAME:3, kills itself with SIGKILL when it comes to that
point for the first, or third, time. With FRONTDESK_CRASH_AT=/path/to/a/file the point is the one whose name the file
holds at that moment, and the file is gone once a process has died of it: of several workers one dies, the one that
takes its place does not die again, and a test may write the next name without a new start.

Without the variable a point is a call of an empty function. Every name is in `FAIL_POINTS`, and one that is not there is
refused at start: a test that never reaches its point would prove nothing.

Knows nothing of what is written; the places are in the parts that write.
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
    "claim.before_commit",  # the key is claimed in a transaction that is open
    "claim.after_commit",  # the claim is kept, and the request does not know yet
    "rows.built",  # the answer is there, nothing of it is written
    "commit.before_begin",  # a batch was taken off the queue
    "commit.before_commit",  # its rows are in an open transaction
    "commit.after_commit",  # they are kept, and no request knows yet
    "acknowledge.before",  # the request knows, its caller does not
    "spool.before_commit",
    "spool.after_commit",
    "drain.before_commit",  # spooled rows are in an open transaction of the database
    "drain.after_commit",  # they are kept twice: in the database and in the spool
    "drain.after_delete",
    "free.before_commit",  # a claim is being given up
    "outbox.before_deliver",
    "outbox.after_deliver",  # the sink has the events, the outbox too
    "outbox.after_delete",
)


def _parse_point(value: str | None) -> tuple[str, int] | None:
    """The point and the how-manieth time.

    Raises:
        ConfigurationError: there is no such point, or what comes after the colon is no number above 0.
    """
    if not value or value.startswith("/"):
        return None
    name, _, occurrence = value.partition(":")
    if name not in FAIL_POINTS or not (occurrence == "" or (occurrence.isdecimal() and int(occurrence) > 0)):
        raise ConfigurationError(
            f"{VARIABLE} names no crash point.",
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
    """Die here, if this is the point and the time that the process was started with, or the one that the file holds."""
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
    """Whoever removes the file is the one who dies."""
    with suppress(FileNotFoundError):
        if file.read_text(encoding="utf-8") == name:
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
