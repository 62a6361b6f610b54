"""Log lines: one JSON object each, protected from injection, and without text of customers."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from frontdesk.observability import logs
from frontdesk.observability.line_limit import LogLineLimit
from frontdesk.observability.logs import configure_logging, log_access, log_failure

NAMES = (
    *("", "uvicorn", "uvicorn.error", "uvicorn.access", "bentoml", "bentoml.access", "fastapi", "httpx", "httpcore"),
    *("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool"),
)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Restore pytest's handlers after each test: `configure_logging` replaces those of the root logger."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(log, log.level, log.handlers[:], log.propagate, log.disabled) for log in loggers]
    yield
    structlog.reset_defaults()
    for log, level, handlers, propagate, disabled in before:
        log.level, log.handlers[:], log.propagate, log.disabled = level, handlers, propagate, disabled
        log.setLevel(level)


def access(**changes: Any) -> None:
    fields: dict[str, Any] = {
        "method": "POST",
        "route": "/v1/queries/{id}",
        "status": 200,
        "duration_ms": 12.34567,
        "request_id": "0190-r",
        "tenant": "acme",
        "subject": "demo",
        "client": "192.0.2.7",
        "bytes_in": 120,
        "bytes_out": 900,
    }
    log_access(**{**fields, **changes})


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capture.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_request_is_one_json_line_with_the_route_template(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    access()
    (line,) = lines(capsys)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
    assert line == {
        "event": "request",
        "level": "info",
        "pid": os.getpid(),
        "method": "POST",
        "route": "/v1/queries/{id}",
        "status": 200,
        "duration_ms": 12.346,
        "request_id": "0190-r",
        "tenant": "acme",
        "subject": "demo",
        "client": "192.0.2.7",
        "bytes_in": 120,
        "bytes_out": 900,
    }


@pytest.mark.parametrize(
    "forged",
    [
        'x\n{"event":"request","status":200}',
        "x\r\n2026-01-01 INFO all is well",
        "x\u2028y\u2029z\u0085w",
        "\x1b[2J\x1b[31mred",
        '","level":"error","a":"',
        "\ud800",
    ],
)
def test_a_line_cannot_be_forged(capsys: pytest.CaptureFixture[str], forged: str) -> None:
    configure_logging("INFO")
    access(subject=forged, request_id=forged)
    raw = capsys.readouterr().err
    assert raw.isascii()
    assert raw.count("\n") == 1
    assert all(character.isprintable() for character in raw.rstrip("\n"))
    line = json.loads(raw)
    assert (line["subject"], line["request_id"], line["level"]) == (forged, forged, "info")


def test_lines_below_the_level_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING")
    access()
    assert lines(capsys) == []


def fail_with_words() -> None:
    words = "my card is 4111 1111 1111 1111"
    try:
        raise KeyError(words)
    except KeyError as error:
        raise ValueError(f"cannot read {words}") from error


def test_a_failure_has_types_and_stack_but_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        fail_with_words()
    except ValueError as error:
        log_failure(error, "0190-r")
    raw = capsys.readouterr().err
    assert "4111" not in raw
    assert "cannot read" not in raw
    line = json.loads(raw)
    assert (line["event"], line["level"], line["request_id"]) == ("failure", "error", "0190-r")
    assert (line["error"], line["causes"]) == ("builtins.ValueError", ["builtins.KeyError"])
    file, number, function = line["stack"][-1].rsplit(":", 2)
    assert (Path(file).name, function) == ("test_logs.py", "fail_with_words")
    assert int(number) > 0


def test_a_cycle_of_causes_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    log_failure(one, "0190-r")
    (line,) = lines(capsys)
    assert line["causes"][:2] == ["builtins.KeyError", "builtins.ValueError"]


def test_a_library_that_logs_an_exception_prints_neither_its_message_nor_the_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO")
    try:
        fail_with_words()
    except ValueError:
        logging.getLogger("bentoml._internal.server").exception("Exception on %s [%s]", "/v1/customers/kovacs", "POST")
    raw = capsys.readouterr().err
    assert "4111" not in raw
    assert "kovacs" not in raw
    line = json.loads(raw)
    assert (line["event"], line["error"]) == ("Exception on %s [%s]", "builtins.ValueError")
    assert line["logger"] == "bentoml._internal.server"


def test_an_exception_given_as_the_line_itself_is_named_only(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        fail_with_words()
    except ValueError as error:
        logging.getLogger("uvicorn.error").error(error, exc_info=True)
    (line,) = lines(capsys)
    assert line["event"] == "ValueError"


def test_a_librarys_plain_line_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    logging.getLogger("uvicorn.error").info("Started server process [%d]\n", 7)
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("Started server process [7]\n", "info")


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_access_logs_and_statements_of_libraries_are_off_at_every_level(
    capsys: pytest.CaptureFixture[str], level: str
) -> None:
    configure_logging(level)
    logging.getLogger("uvicorn.access").critical('"GET /v1/queries?q=secret HTTP/1.1" 200')
    logging.getLogger("bentoml.access").critical("secret")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT ... [secret]")
    logging.getLogger("httpx").info("HTTP Request: POST http://llm?q=secret")
    logging.getLogger("fastapi").info("secret")
    logging.getLogger("any.other").info("secret")
    assert lines(capsys) == []


def test_handlers_of_libraries_are_removed(capsys: pytest.CaptureFixture[str]) -> None:
    own = logging.StreamHandler()
    library = logging.getLogger("bentoml")
    library.addHandler(own)
    library.propagate = False
    configure_logging("INFO")
    configure_logging("INFO")
    library.warning("once")
    (line,) = lines(capsys)
    assert line["event"] == "once"


def test_a_line_that_cannot_be_written_is_lost_and_the_next_one_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """/dev/full is a disk without space: every write to it fails."""
    with Path("/dev/full").open("wb", buffering=0) as full, (tmp_path / "log").open("w") as log:
        monkeypatch.setattr("sys.stderr", io.TextIOWrapper(full, write_through=True))
        configure_logging("INFO")
        access()
        logging.getLogger("uvicorn.error").info("a library's line")
        monkeypatch.setattr("sys.stderr", log)
        configure_logging("INFO")
        access()
    assert len((tmp_path / "log").read_text().splitlines()) == 1


async def test_refused_requests_have_a_few_lines_a_second_and_a_summary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answered requests and defects are always logged."""
    monkeypatch.setattr("frontdesk.observability.line_limit.SUMMARY_S", 0.05)
    monkeypatch.setattr(
        logs, "_refusals", LogLineLimit(None, logs._log_omitted_requests, logs._call_later, lambda: 0.0)
    )
    configure_logging("INFO", 5)
    for status in (200, 401, 429, 500):
        for _ in range(50):
            access(status=status)
    await asyncio.sleep(0.2)
    output = lines(capsys)
    statuses = [line["status"] for line in output if line["event"] == "request"]
    assert [statuses.count(status) for status in (200, 401, 429, 500)] == [50, 5, 5, 50]
    (summary,) = [line for line in output if line["event"] == "requests_omitted"]
    assert summary["requests"] == {"401": 45, "429": 45}
