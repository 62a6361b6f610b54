"""What does a request cost beside the models? CPU per request of one worker, against the same bundle in a bare loop.

    python -m benchmarks.plumbing [--requests 2000]

Regime: the champion of this machine; one worker, started as users start it (authentication, metrics, access log and
storage on), fed over keep-alive connections by a client in another process; closed loop at concurrency 1 and 32. CPU is
user plus system time of the worker process, so the client's own cost does not count. Plumbing is what the worker spends
outside the thread that runs the models. The bare loop beside it runs the same texts through `Ensemble.understand` in
this process, one at a time (for concurrency 1) and 32 at a time (for 32): it never sleeps, so its caches stay warm, and
in a server that waits for a disk or a client between two texts the same models cost more (measured: 0.2 ms a text after
every fsync). Medians of several rounds, both sides in turn within one run: compare ratios, seconds are the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.server import running
from benchmarks.traffic import messages
from bentos.wiring.model import trusted_bundle
from frontdesk.config import load
from frontdesk.masking import mask
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import open_warm

ROUNDS = 5
TARGET_MS = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table: a route, whether it stores, and how many requests are in flight."""

    name: str
    path: str
    store: bool
    concurrency: int


CASES = (
    Case("/v1/understand", "/v1/understand", store=False, concurrency=1),
    Case("/v1/understand, stored", "/v1/understand", store=True, concurrency=1),
    Case("/v1/queries, stored", "/v1/queries", store=True, concurrency=1),
    Case("/v1/understand", "/v1/understand", store=False, concurrency=32),
    Case("/v1/understand, stored", "/v1/understand", store=True, concurrency=32),
    Case("/v1/queries, stored", "/v1/queries", store=True, concurrency=32),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=1500, help="requests in a round")
    wanted = parser.parse_args()
    console = Console(stderr=True)
    settings = load()
    texts = messages(wanted.requests)
    bundle = trusted_bundle(settings)
    ensemble = open_warm(bundle, threads=1)
    masked = [mask(text).text for text in texts]
    with running(workers=1, bundle=bundle.path) as server:
        worker = server.worker()
        rows = [_measure(case, texts, masked, ensemble, server.port, worker, server.token, console) for case in CASES]
    _print_table(rows, bundle.version)
    print(json.dumps({"benchmark": "plumbing", "requests": wanted.requests, "rounds": ROUNDS, "rows": rows}))


def _measure(
    case: Case,
    texts: Sequence[str],
    masked: Sequence[str],
    ensemble: Ensemble,
    port: int,
    worker: psutil.Process,
    token: str,
    console: Console,
) -> dict[str, Any]:
    """CPU milliseconds per request of the worker and per text of the bare loop, `ROUNDS` times in turn."""
    served, models, bare, latencies = [], [], [], list[float]()
    with console.status(f"{case.name} at {case.concurrency}"):
        for _ in range(ROUNDS):
            before = time.process_time()
            _loop(ensemble, masked, case.concurrency)
            bare.append((time.process_time() - before) * 1000 / len(masked))
            before_all, before_models = _worker_ms(worker)
            latencies.extend(asyncio.run(_load(case, texts, port, token)))
            after_all, after_models = _worker_ms(worker)
            served.append((after_all - before_all) / len(texts))
            models.append((after_models - before_models) / len(texts))
    plumbing = [whole - of_models for whole, of_models in zip(served, models, strict=True)]
    return {
        "case": case.name,
        "concurrency": case.concurrency,
        "server_ms": statistics.median(served),
        "models_ms": statistics.median(models),
        "plumbing_ms": statistics.median(plumbing),
        "plumbing_least_ms": min(plumbing),
        "plumbing_most_ms": max(plumbing),
        "bare_loop_ms": statistics.median(bare),
        "p50_ms": statistics.median(latencies) * 1000,
        "p95_ms": statistics.quantiles(latencies, n=20)[-1] * 1000,
    }


def _worker_ms(worker: psutil.Process) -> tuple[float, float]:
    """CPU milliseconds of the worker so far: all of it, and its model thread (the busiest beside the loop)."""
    threads = worker.threads()
    whole = sum(thread.user_time + thread.system_time for thread in threads)
    beside = [thread.user_time + thread.system_time for thread in threads if thread.id != worker.pid]
    return whole * 1000, max(beside) * 1000


def _loop(ensemble: Ensemble, masked: Sequence[str], batch: int) -> None:
    for start in range(0, len(masked), batch):
        ensemble.understand(masked[start : start + batch])


async def _load(case: Case, texts: Sequence[str], port: int, token: str) -> list[float]:
    """Send every text once, `concurrency` connections in a closed loop; seconds of each request."""
    waiting = iter(texts)
    latencies: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for text in waiting:
            body = json.dumps({"text": text, "store": case.store}).encode()
            head = (
                f"POST {case.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            started = time.perf_counter()
            writer.write(head.encode() + body)
            status = await reader.readline()
            if b" 200 " not in status:
                raise RuntimeError(f"the server answered {status.decode().strip()}")
            length = 0
            while (line := await reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(case.concurrency)))
    return latencies


def _print_table(rows: Sequence[dict[str, Any]], version: str) -> None:
    table = Table(title=f"CPU per request in ms, one worker, bundle {version}", width=110)
    for heading in ("request", "in flight", "server", "models", "plumbing", "least", "most", "bare loop", "p50", "p95"):
        table.add_column(heading, justify="left" if heading == "request" else "right")
    for row in rows:
        figures = (
            "server_ms",
            "models_ms",
            "plumbing_ms",
            "plumbing_least_ms",
            "plumbing_most_ms",
            "bare_loop_ms",
            "p50_ms",
            "p95_ms",
        )
        within = "green" if row["plumbing_ms"] <= TARGET_MS else "red"
        table.add_row(row["case"], str(row["concurrency"]), *(f"{row[f]:.2f}" for f in figures), style=within)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
