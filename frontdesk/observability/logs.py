"""JSON lines on stderr: what happened, to which route, for whom and how long, never what the customer wrote.

Frontdesk's own events go through structlog. What libraries log goes through the standard library into the same
form, with three precautions, because each of these would otherwise carry a customer's words or identifiers:

* `uvicorn.access` and `bentoml.access` are off: they print the raw path with its query. `log_access` prints the route.
* sqlalchemy and HTTP clients are kept at WARNING: at INFO they print bound parameters and full addresses.
* The message of an exception is never printed, nor the arguments of a line that comes with one: BentoML logs a
  validation error with the input that it refused. Type and places in the code remain.

Knows nothing of HTTP or of requests beyond the names of the fields below; who calls decides what is worth a line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from frontdesk.observability.line_limit import SUMMARY_S, LineLimit

_OFF = ("uvicorn.access", "bentoml.access")
_LEVELS = {
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "bentoml": logging.INFO,
    "sqlalchemy": logging.WARNING,
    "sqlalchemy.engine": logging.WARNING,
    "sqlalchemy.pool": logging.WARNING,
    "fastapi": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}
_ADDRESS = re.compile(r"[0-9a-fA-F.:]{2,45}")
_REFUSED, _DEFECT = 400, 500
"""Statuses: from the first on a request was refused; a defect always has its line."""
_MAX_CAUSES = 8
"""A chain of causes may be a ring."""

_log = structlog.get_logger()


def configure(level: str, refused_lines_per_second: int | None = None) -> None:
    """Send every line of this process to stderr as JSON: `timestamp` (UTC, ISO 8601), `level`, `event`, `pid`, fields.

    To be called once a worker, after the libraries have set up their own logging: it takes their handlers away.
    `level` is the least that is printed (DEBUG, INFO, WARNING, ERROR); libraries never print more than said above.
    `refused_lines_per_second` limits the lines of refused requests for each status; None: every one has its line.
    """
    _refusals.lines_per_second = refused_lines_per_second
    minimum = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _add_timestamp, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _LossyStream(sys.stderr))),
    )
    handler = logging.StreamHandler(_LossyStream(sys.stderr))
    handler.setFormatter(_LibraryLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(minimum, logging.WARNING))
    for name, library_minimum in _LEVELS.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(minimum, library_minimum))
    for name in _OFF:
        logging.getLogger(name).disabled = True


class _LossyStream:
    """Where lines go. One that cannot be written, because the disk is full or nobody reads any more, is lost.

    The request that it tells of must not fail for it: a full disk once broke the connections of all callers.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def log_access(
    *,
    method: str,
    route: str,
    status: int,
    duration_ms: float,
    request_id: str,
    tenant: str | None,
    subject: str | None,
    client: str | None,
    bytes_in: int,
    bytes_out: int,
) -> None:
    """One line for one request, from the address `client`.

    `route` is a template (`/v1/queries/{id}`), never the path that was asked for. Of refused requests a few lines a
    second are written for each status, and a summary of the others: a flood of them must not fill the disk.
    """
    if status >= _REFUSED and status != _DEFECT and not _refusals.allows(str(status)):
        return
    _log.info(
        "request",
        method=method,
        route=route,
        status=status,
        duration_ms=round(duration_ms, 3),
        request_id=request_id,
        tenant=tenant,
        subject=subject,
        client=client if client is not None and _ADDRESS.fullmatch(client) else None,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
    )


def _log_omitted(lines: Mapping[str, int]) -> None:
    """One line for the refused requests that have none: their number by status."""
    _log.info("requests_omitted", seconds=SUMMARY_S, requests=lines)


def _call_later(seconds: float, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # no event loop: the next refused request writes the summary
        asyncio.get_running_loop().call_later(seconds, callback)


_refusals = LineLimit(None, _log_omitted, _call_later)


def log_failure(error: BaseException, request_id: str) -> None:
    """One line for an exception that nobody expected: its type, its causes' types and where it came from."""
    _log.error("failure", request_id=request_id, **_describe_error(error))


def _describe_error(error: BaseException) -> dict[str, Any]:
    """What can be said of an exception without its message or any variable: both may hold a customer's text."""
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _MAX_CAUSES:
        causes.append(_type_name(cause))
        cause = cause.__cause__ or cause.__context__
    return {
        "error": _type_name(error),
        "causes": causes,
        "stack": [
            f"{frame.f_code.co_filename}:{line}:{frame.f_code.co_name}"
            for frame, line in traceback.walk_tb(error.__traceback__)
        ],
    }


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _add_timestamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    event["pid"] = os.getpid()
    return event


def _template(record: logging.LogRecord) -> str:
    """The line without its arguments; the type where an exception itself was given as the line."""
    return record.msg if isinstance(record.msg, str) else type(record.msg).__name__


class _LibraryLine(logging.Formatter):
    """A library's log record in the same form as our own lines."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {
            "event": record.getMessage() if error is None else _template(record),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "pid": record.process,
            **({} if error is None else _describe_error(error)),
        }
        return json.dumps(line)
