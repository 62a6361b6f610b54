"""Statistics of recorded answers, and the load generator against a slow server."""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.load import (
    Load,
    Phase,
    broken,
    closed_loop,
    count_connections,
    open_loop,
    parse_answers,
    parse_summary,
    run_client,
    wrk_summary_loop,
)
from benchmarks.workload import UNDERSTAND, build_requests, write_requests

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk: apt-get install wrk")
SLOW_S = 0.4


def load_of(lines: str, seconds: float = 2.0) -> Load:
    return Load(*parse_answers(lines), seconds, client_cpu_s=0.1)


ANSWERS = load_of("10.0 200 0.100\n10.5 503 0.002\n11.0 200 0.300\n11.5 504 5.0\n11.9 200 0.500\n")


def test_answers_are_counted_by_outcome() -> None:
    assert (ANSWERS.good, ANSWERS.refused, ANSWERS.failed) == (3, 1, 1)


def test_latency_is_that_of_one_status() -> None:
    assert ANSWERS.latency_ms(0.5) == pytest.approx(300)
    assert ANSWERS.latency_ms(0.99, status=503) == pytest.approx(2)


def test_goodput_counts_answers_that_came_in_time() -> None:
    assert ANSWERS.goodput == pytest.approx(2 / 2.0)  # the last answer arrived after the end of the load
    assert ANSWERS.goodput_between(1.0, 3.0) == pytest.approx(2 / 2.0)


def test_throughput_counts_every_answer_until_the_last() -> None:
    assert load_of("10.0 200 0.5\n10.5 200 0.5\n10.9 200 1.1\n", seconds=1.0).throughput == pytest.approx(3 / 2.0)


def test_a_window_has_the_requests_that_were_sent_in_it() -> None:
    part = ANSWERS.sent_between(0.5, 1.5)

    assert list(part.sent) == [10.5, 11.0]
    assert part.seconds == 1.0


def test_a_server_that_answers_nothing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no request"):
        parse_answers("")


def test_broken_connections_are_failures() -> None:
    printed = "  10 requests in 2s\n  Socket errors: connect 1, read 2, write 3, timeout 4\nRequests/sec: 5"

    assert broken(printed) == 10
    assert broken("Requests/sec: 5") == 0
    assert Load(*parse_answers("1.0 200 0.1"), 1.0, 0.0, broken=2).failed == 2


def test_a_load_generator_is_run_to_its_end_with_its_cpu_and_a_failed_one_is_an_error() -> None:
    printed, cpu_s = run_client([sys.executable, "-c", "import os; print(os.environ['TOKEN'])"], {"TOKEN": "abc"})

    assert printed == "abc\n"
    assert cpu_s > 0
    with pytest.raises(RuntimeError, match="failed: no server"):
        run_client([sys.executable, "-c", "raise SystemExit('no server')"])


def test_a_rate_above_capacity_needs_connections_for_queued_requests_as_well() -> None:
    assert count_connections(1.0) == 32
    assert count_connections(200.0) == 300
    assert count_connections(200.0, queued=1024) == 1324


@pytest.fixture
def slow_server() -> Iterator[Any]:
    """Answers every request after `SLOW_S` with the id of the request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode().lower():
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
            await asyncio.sleep(SLOW_S)
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-request-id: {fields['x-request-id']}\r\n\r\n".encode()
            )

    async def forgiving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(forgiving, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = server.sockets[0].getsockname()[1]
    yield SimpleNamespace(url=f"http://127.0.0.1:{port}", token="none")
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def bodies(tmp_path: Path) -> Path:
    return write_requests(tmp_path / "requests", build_requests(UNDERSTAND, ["one", "two", "three"], store=False))


@needs_wrk
def test_a_closed_loop_sends_no_more_than_its_connections_get_answered(slow_server: Any, bodies: Path) -> None:
    load = closed_loop(slow_server, bodies, concurrency=4, seconds=1.0)

    assert load.good == 12  # three rounds of four: the last is sent at 0.8 s and its answers are awaited
    assert load.failed == 0
    assert load.latency_ms(0.5) == pytest.approx(SLOW_S * 1000, abs=60)


@needs_wrk
def test_an_open_loop_keeps_its_rate_while_a_slow_server_has_not_answered(slow_server: Any, bodies: Path) -> None:
    load = open_loop(slow_server, bodies, [Phase(1.0, 200.0), Phase(1.0, 50.0)], count_connections(200.0))

    assert load.sent_between(0, 1).good == pytest.approx(200, abs=50)
    assert load.sent_between(1, 2).good == pytest.approx(50, abs=25)
    assert load.good == load.sent.size


@needs_wrk
def test_latency_of_a_late_request_counts_from_its_due_time(slow_server: Any, bodies: Path) -> None:
    """Four connections allow ten requests per second; forty are due in one second, so the last wait for seconds."""
    load = open_loop(slow_server, bodies, [Phase(1.0, 40.0)], connections=4)

    assert load.good == pytest.approx(40, abs=20)
    assert load.latency_ms(0.99) > 4 * SLOW_S * 1000


@needs_wrk
def test_a_server_that_does_not_repeat_the_id_is_measured_by_wrk(slow_server: Any, bodies: Path) -> None:
    summary = wrk_summary_loop(slow_server, bodies, concurrency=4, seconds=1.0, first=1)

    assert summary.good == 8  # the third round of four is unfinished
    assert summary.errors == 0
    assert summary.p50_ms == pytest.approx(SLOW_S * 1000, abs=60)


def test_only_answers_without_an_error_count_as_good() -> None:
    printed = """\
Running 3s test @ http://127.0.0.1:1
  20 requests in 2.00s, 6.00KB read

{"answered": 20, "seconds": 2.0, "refused": 4, "broken": 1, "p50_ms": 5.5, "p95_ms": 9.0}
"""
    summary = parse_summary(printed, client_cpu_s=0.25)

    assert (summary.good, summary.errors) == (16, 5)
    assert (summary.p50_ms, summary.p95_ms, summary.client_cpu_s) == (5.5, 9.0, 0.25)
