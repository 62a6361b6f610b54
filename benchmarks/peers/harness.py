"""One round of one server: start it, wait until it answers, check what it says, load it, stop it.

Every server gets a folder of its own for whatever it writes, a free port, and the bundle by environment variables. It
is stopped by its process id, and what it leaves behind of its children by theirs. Levels of concurrency are taken from
the lowest up, each after a warm-up at that level: BentoML's dispatcher remembers a burst for half a minute, and would
answer a lone request slower after it. Knows no server by name but ours.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from benchmarks import server as frontdesk
from benchmarks.peers.line_up import FRONTDESK, HOST, Peer
from benchmarks.peers.model import CORES
from benchmarks.peers.wrk import JSON_HEADERS, run, write_script
from benchmarks.server import Server, spent_s

READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
CHECKED_AT_ONCE = 8
SETTLE_S = 0.2
TOLERANCE = 1e-3
"""Of confidences; `runners/ensemble/warm_up.py` allows the golden rows the same."""

Expected = Sequence[tuple[str, str, float]]
"""Text, intent and confidence, by the ensemble itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard every server is loaded."""

    concurrencies: tuple[int, ...]
    seconds: float
    warm_up_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One level of one round. CPU is of all processes of the server, RSS too: shared pages count in each."""

    peer: str
    turn: int
    concurrency: int
    per_s: float
    p50_ms: float
    p95_ms: float
    errors: int
    cpu_ms: float
    rss_mb: float
    client_cpu_ms: float


def measure(peer: Peer, turn: int, plan: Plan, texts: Sequence[str], expected: Expected) -> list[Measured]:
    """Round number `turn` of `peer`: start it, check it, load it at every level, stop it.

    Raises:
        RuntimeError: it did not start (with its log), gave a wrong answer, or a process of it ended under load.
    """
    with tempfile.TemporaryDirectory(prefix="peer-") as scratch, _running(peer, Path(scratch)) as server:
        headers = JSON_HEADERS | ({"authorization": f"Bearer {server.token}"} if server.token else {})
        check(peer, server.port, headers, expected)
        script = write_script(Path(scratch), peer.path, [_body(text) for text in texts], headers)
        return [_level(peer, turn, server, script, plan, concurrency) for concurrency in plan.concurrencies]


def check(peer: Peer, port: int, headers: Mapping[str, str], expected: Expected) -> None:
    """Ask for every expected text, several at once; raises RuntimeError for an answer that is not the ensemble's."""

    def wrong(row: tuple[str, str, float]) -> str | None:
        text, label, confidence = row
        status, body = _post(port, peer.path, text, headers)
        if status != 200:
            return f"{status} {body[:300]!r}"
        said = json.loads(body)["intent"]
        if said["label"] != label or abs(said["confidence"] - confidence) > TOLERANCE:
            return f"{said['label']} {said['confidence']} instead of {label} {confidence}"
        return None

    with ThreadPoolExecutor(CHECKED_AT_ONCE) as asking:
        problems = [problem for problem in asking.map(wrong, expected) if problem is not None]
    if problems:
        raise RuntimeError(f"{peer.name} answers {len(problems)} of {len(expected)} texts wrongly: {problems[0]}")


def _level(peer: Peer, turn: int, server: Server, script: Path, plan: Plan, concurrency: int) -> Measured:
    warm_up = run(script, server.port, concurrency, plan.warm_up_s)
    time.sleep(SETTLE_S + 2 * warm_up.p95_ms / 1000)  # most servers go on with what wrk left unanswered
    before = server.cpu()
    load = run(script, server.port, concurrency, plan.seconds, first=concurrency * 97)
    answered = max(1, load.answered - load.refused)
    return Measured(
        peer=peer.name,
        turn=turn,
        concurrency=concurrency,
        per_s=load.good_per_s,
        p50_ms=load.p50_ms,
        p95_ms=load.p95_ms,
        errors=load.errors,
        cpu_ms=spent_s(before, server.cpu()) * 1000 / answered,
        rss_mb=server.rss_mb(),
        client_cpu_ms=load.client_cpu_s * 1000 / answered,
    )


@contextmanager
def _running(peer: Peer, folder: Path) -> Iterator[Server]:
    if peer.name == FRONTDESK:
        with frontdesk.running(workers=CORES, cached_texts=0) as server:
            yield server
        return
    port = _free_port()
    private = {"TMPDIR": str(folder), "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    started = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            peer.command_on(port), env=os.environ | peer.environment | private, stdout=log, stderr=log
        )
    try:
        _wait_until_it_answers(peer, process, port, folder / "log")
        yield Server(folder, port, 0, "", psutil.Process(process.pid), time.monotonic() - started)
    finally:
        _stop(process)


def _wait_until_it_answers(peer: Peer, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if _post(port, peer.path, "hello", JSON_HEADERS)[0] == 200:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{peer.name} did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As its user would, and after a while what is left of it."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(family, timeout=5)
    for child in left:
        child.kill()


def _post(port: int, path: str, text: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    connection = HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("POST", path, _body(text), dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _body(text: str) -> str:
    """Nothing is stored; the peers do not look at that field."""
    fields: dict[str, Any] = {"text": text, "store": False}
    return json.dumps(fields)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
