"""JSON log lines on stderr: event, route, caller and duration, without text of customers.

Frontdesk's own events go through structlog. Log records of libraries go through the standard library into the same
format, with three precautions, because they could contain text or identifiers of customers:

* `uvicorn.access` and `bentoml.access` are off: they print the raw path with its query. `log_access` prints the route.
* sqlalchemy and HTTP clients have the level WARNING: at INFO they print bound parameters and full URLs.
* The message of an exception is never printed, nor are the arguments of a record with an exception: BentoML logs a
  validation error together with the rejected input. The type and the stack remain.
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

from frontdesk.observability.line_limit import SUMMARY_S, LogLineLimit

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
"""HTTP statuses. From 400 the request was refused; a defect (500) is always logged."""
_MAX_CAUSES = 8
"""The chain of causes of an exception may be a cycle."""

_log = structlog.get_logger()


def configure_logging(level: str, refused_lines_per_second: int | None = None) -> None:
    """Write every log line of this process to stderr as JSON, with `timestamp` (UTC), `level`, `event`, `pid`, fields.

    Call it once in each worker, after the libraries have configured their logging: it removes their handlers.

    Args:
        level: the minimum level (DEBUG, INFO, WARNING, ERROR). The limits for libraries above apply too.
        refused_lines_per_second: maximum number of lines of refused requests for each status; None: no limit.
    """
    _refusals.lines_per_second = refused_lines_per_second
    minimum = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _add_timestamp, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _LossyStream(sys.stderr))),
    )
    handler = logging.StreamHandler(_LossyStream(sys.stderr))
    handler.setFormatter(_LibraryLogFormatter())
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
    """A stream that drops lines which cannot be written, because the disk is full or the reader is gone.

    A request must not fail because of its log line: a full disk once broke the connections of all callers.
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
    """Log one request from the address `client`.

    `route` is a template (`/v1/queries/{id}`), never the requested path. For refused requests, a few lines per second
    are written for each status, and a summary of the others, so that a flood cannot fill the disk.
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


def _log_omitted_requests(lines: Mapping[str, int]) -> None:
    """Log the number of refused requests without a line of their own, by status."""
    _log.info("requests_omitted", seconds=SUMMARY_S, requests=lines)


def _call_later(seconds: float, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # no event loop: the next refused request writes the summary
        asyncio.get_running_loop().call_later(seconds, callback)


_refusals = LogLineLimit(None, _log_omitted_requests, _call_later)


def log_failure(error: BaseException, request_id: str) -> None:
    """Log an unexpected exception: its type, the types of its causes and its stack."""
    _log.error("failure", request_id=request_id, **_describe_error(error))


def _describe_error(error: BaseException) -> dict[str, Any]:
    """Describe an exception without its message and variables, which may contain text of a customer."""
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


def _message_template(record: logging.LogRecord) -> str:
    """The message of a log record without its arguments; if the message is an exception, its type."""
    return record.msg if isinstance(record.msg, str) else type(record.msg).__name__


class _LibraryLogFormatter(logging.Formatter):
    """Formats log records of libraries like Frontdesk's own lines."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {
            "event": record.getMessage() if error is None else _message_template(record),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "pid": record.process,
            **({} if error is None else _describe_error(error)),
        }
        return json.dumps(line)
