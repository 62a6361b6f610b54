"""The servers of the comparison, and one round of one server: start, check answers, measure under load, stop.

All accept POST {"text": ...} and return the whole understanding as JSON. Only Frontdesk also checks a token, masks,
decides, and keeps metrics and an access log, which favours the others. Every server gets a private folder, a free port,
and the bundle by environment variables. Levels of concurrency run in ascending order, each after a warm-up at that
level: after a burst, BentoML's dispatcher answers single requests more slowly for half a minute.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks import server as frontdesk
from benchmarks.load import wrk_summary_loop
from benchmarks.peers.model import CORES
from benchmarks.results import RoundStats, ratios_by_round
from benchmarks.server import HOST, Server, cpu_s_between, free_ports, start_server
from benchmarks.workload import build_requests, write_requests

FRONTDESK = "frontdesk"
CHECK_CONCURRENCY = 8
SETTLE_S = 0.2
TOLERANCE = 1e-3
"""Tolerance of confidences; the same as for golden rows in `runners/ensemble/warm_up.py`."""

Expected = Sequence[tuple[str, str, float]]
"""Text, intent and confidence of the ensemble."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of the comparison. `command` is a module and its arguments, with `{port}` as placeholder."""

    name: str
    title: str
    path: str
    command: str = ""

    def command_on(self, port: int) -> list[str]:
        return [sys.executable, "-m", *self.command.format(port=port).split()]


_BENTOML = f"bentoml serve benchmarks.peers.bentoml_composition:%s --host {HOST} --port {{port}}"

PEERS = (
    Peer(FRONTDESK, "Frontdesk", "/v1/understand"),  # started by `benchmarks.server`, as users do
    Peer("bentoml", "BentoML, one service per base model", "/understand", _BENTOML % "EachMember"),
    Peer("bentoml-joined", "BentoML, light models in one service", "/understand", _BENTOML % "LightTogether"),
    Peer(
        "mosec",
        "mosec",
        "/inference",
        f"benchmarks.peers.mosec_batching --address {HOST} --port {{port}} --timeout 60000 --log-level warning",
    ),
    Peer("litserve", "LitServe", "/predict", "benchmarks.peers.litserve_batching {port}"),
    Peer(
        "fastapi",
        "FastAPI, no batching",
        "/understand",
        f"uvicorn benchmarks.peers.fastapi_unbatched:app --host {HOST} --port {{port}} --workers {CORES} "
        "--no-access-log --log-level warning",
    ),
)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Levels of concurrency and durations of the load."""

    concurrencies: tuple[int, ...]
    seconds: float
    warm_up_s: float


@dataclass(frozen=True, slots=True)
class LevelResult:
    """One level of one round. CPU and RSS are those of all processes of the server; shared pages count in each."""

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


def select_peers(names: str | None) -> tuple[Peer, ...]:
    """Return the peers of a comma-separated list, in the order of PEERS; all of them for None.

    Raises:
        ValueError: one is unknown; the message names all peers.
    """
    if names is None:
        return PEERS
    requested = set(names.split(","))
    if unknown := requested - {peer.name for peer in PEERS}:
        known_names = ", ".join(peer.name for peer in PEERS)
        raise ValueError(f"There is no peer {', '.join(sorted(unknown))}; there are: {known_names}.")
    return tuple(peer for peer in PEERS if peer.name in requested)


def rotate_peers(peers: tuple[Peer, ...], turn: int) -> tuple[Peer, ...]:
    """Return the order of a round. Each round starts with the next peer, so that none is always first or last."""
    first = turn % len(peers)
    return peers[first:] + peers[:first]


def measure_peer(peer: Peer, turn: int, plan: LoadPlan, texts: Sequence[str], expected: Expected) -> list[LevelResult]:
    """Run round number `turn` of a peer at every level.

    Raises:
        RuntimeError: the peer did not start (with its log), gave a wrong answer, or a process ended under load.
    """
    with tempfile.TemporaryDirectory(prefix="peer-") as folder, _running(peer, Path(folder)) as server:
        check_answers(peer, server, expected)
        bodies = write_requests(Path(folder) / "requests", build_requests(peer.path, texts, store=False))
        return [_level(peer, turn, server, bodies, plan, concurrency) for concurrency in plan.concurrencies]


def check_answers(peer: Peer, server: Server, expected: Expected) -> None:
    """Send every expected text, several in parallel. Raises RuntimeError if an answer differs from the expected one."""

    def problem(row: tuple[str, str, float]) -> str | None:
        text, label, confidence = row
        status, body = _post(peer, server.port, text, server.token)
        if status != 200:
            return f"{status} {body[:300]!r}"
        intent = json.loads(body)["intent"]
        if intent["label"] != label or abs(intent["confidence"] - confidence) > TOLERANCE:
            return f"{intent['label']} {intent['confidence']} instead of {label} {confidence}"
        return None

    with ThreadPoolExecutor(CHECK_CONCURRENCY) as pool:
        problems = list(filter(None, pool.map(problem, expected)))
    if problems:
        raise RuntimeError(f"{peer.name} answers {len(problems)} of {len(expected)} texts wrongly: {problems[0]}")


def summarize_levels(measured: Sequence[LevelResult]) -> list[dict[str, Any]]:
    """Return one row per server and concurrency, by concurrency and descending throughput.

    `frontdesk` is the ratio, by round, of requests per second of Frontdesk to those of this server; None without
    Frontdesk.
    """
    levels: dict[tuple[str, int], list[LevelResult]] = {}
    for each in sorted(measured, key=lambda each: each.turn):
        levels.setdefault((each.peer, each.concurrency), []).append(each)
    rows = []
    for (peer, concurrency), rounds in levels.items():
        ours = [each.per_s for each in levels.get((FRONTDESK, concurrency), ())]
        per_s = [each.per_s for each in rounds]
        figures = ("per_s", "p50_ms", "p95_ms", "cpu_ms", "rss_mb", "client_cpu_ms")
        rows.append(
            {
                "peer": peer,
                "concurrency": concurrency,
                **{name: RoundStats.of([getattr(each, name) for each in rounds]) for name in figures},
                "errors": sum(each.errors for each in rounds),
                "frontdesk": ratios_by_round(ours, per_s) if ours and all(per_s) else None,
            }
        )
    return sorted(rows, key=lambda row: (row["concurrency"], -row["per_s"].median))


def _level(peer: Peer, turn: int, server: Server, bodies: Path, plan: LoadPlan, concurrency: int) -> LevelResult:
    warm_up = wrk_summary_loop(server, bodies, concurrency, plan.warm_up_s)
    time.sleep(SETTLE_S + 2 * warm_up.p95_ms / 1000)  # most servers still process requests that wrk has abandoned
    before = server.cpu()
    load = wrk_summary_loop(server, bodies, concurrency, plan.seconds, first=concurrency * 97)
    good = max(1, load.good)
    return LevelResult(
        peer=peer.name,
        turn=turn,
        concurrency=concurrency,
        per_s=load.good / load.seconds,
        p50_ms=load.p50_ms,
        p95_ms=load.p95_ms,
        errors=load.errors,
        cpu_ms=cpu_s_between(before, server.cpu()) * 1000 / good,
        rss_mb=server.rss_mb(),
        client_cpu_ms=load.client_cpu_s * 1000 / good,
    )


@contextmanager
def _running(peer: Peer, folder: Path) -> Iterator[Server]:
    if peer.name == FRONTDESK:
        with frontdesk.running(workers=CORES, cached_texts=0) as server:
            yield server
        return
    (port,) = free_ports(1)
    private = {"TMPDIR": str(folder), "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}

    def answers() -> bool:
        try:
            return _post(peer, port, "hello")[0] == 200
        except (OSError, HTTPException):
            return False

    with start_server(peer.command_on(port), private, folder, answers) as (master, ready_s):
        yield Server(folder, port, 0, "", master, ready_s)


def _post(peer: Peer, port: int, text: str, token: str = "") -> tuple[int, bytes]:
    connection = HTTPConnection(HOST, port, timeout=60)
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    try:
        connection.request("POST", peer.path, json.dumps({"text": text, "store": False}), headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
