"""CPU per request of one worker outside of the models, compared with the same bundle in a bare loop.

    python -m benchmarks.serving_overhead [--rounds 5] [--seconds 4]

Method: the champion of this machine; one worker, started as users start it (authentication, metrics, access log and
storage on), under closed loops of wrk at concurrency 1 and 32. CPU is user plus system time of the worker process.
Overhead is the CPU of the worker outside of the thread that runs the models. The bare loop runs the same texts through
`Ensemble.understand` in this process, 1 or 32 at a time. It never sleeps, so its caches stay warm; in a server that
waits for a disk or a client between two texts the same models cost more (measured: 0.2 ms per text after every fsync).
Both sides run in turn in every round: compare ratios, because absolute values depend on the machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.closed_loop import Case, summarize_latencies, write_bodies
from benchmarks.load import closed_loop
from benchmarks.results import Column, RoundStats, argument_parser, print_result, print_table
from benchmarks.server import Server, running
from benchmarks.workload import QUERIES, UNDERSTAND, messages
from bentos.wiring.model import open_trusted_bundle
from frontdesk.config import load_settings
from frontdesk.masking import mask
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble

TEXTS = 1500
CASES = [
    Case("overhead", f"{path}, stored" if store else path, concurrency, path, store=store)
    for concurrency in (1, 32)
    for path, store in ((UNDERSTAND, False), (UNDERSTAND, True), (QUERIES, True))
]
COLUMNS: tuple[Column, ...] = (
    ("request", "case", ""),
    ("in flight", "concurrency", "d"),
    *((name.replace("_", " "), f"{name}_ms", ".2f") for name in ("server", "models", "overhead", "bare_loop")),
    ("p50", "p50_ms", ".2f"),
    ("p95", "p95_ms", ".2f"),
)


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="duration of each load")
    options = parser.parse_args()
    bundle = open_trusted_bundle(load_settings())
    ensemble = load_warm_ensemble(bundle, threads=1)
    masked = [mask(text).text for text in messages(TEXTS)]
    with Console(stderr=True).status("starting") as status, running(workers=1, bundle=bundle.path) as server:
        rows = []
        for case in CASES:
            status.update(case.key)
            rows.append(_measure(server, case, ensemble, masked, options.rounds, options.seconds))
    print_table(f"CPU per request in ms, one worker, bundle {bundle.version}", COLUMNS, rows)
    print_result("serving_overhead", {"rounds": options.rounds, "seconds": options.seconds, "rows": rows})


def _measure(
    server: Server, case: Case, ensemble: Ensemble, masked: Sequence[str], rounds: int, seconds: float
) -> dict[str, Any]:
    """Measure CPU milliseconds per request of the worker and per text of the bare loop, in turn."""
    worker, loads = server.worker(), []
    served, models, bare = list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        bodies, _ = write_bodies(case, Path(folder))
        for _ in range(rounds):
            before = time.process_time()
            for start in range(0, len(masked), case.concurrency):
                ensemble.understand(masked[start : start + case.concurrency])
            bare.append((time.process_time() - before) * 1000 / len(masked))
            all_before, models_before = _worker_ms(worker)
            loads.append(closed_loop(server, bodies, case.concurrency, seconds))
            all_after, models_after = _worker_ms(worker)
            served.append((all_after - all_before) / loads[-1].good)
            models.append((models_after - models_before) / loads[-1].good)
    overhead_ms = [whole - part for whole, part in zip(served, models, strict=True)]
    costs_ms = {"server": served, "models": models, "overhead": overhead_ms, "bare_loop": bare}
    return {
        "case": case.name,
        "concurrency": case.concurrency,
        **{f"{name}_ms": RoundStats.of(values) for name, values in costs_ms.items()},
        **summarize_latencies(loads),
    }


def _worker_ms(worker: psutil.Process) -> tuple[float, float]:
    """CPU milliseconds so far of the worker and of its model thread (the busiest besides the event loop)."""
    threads = {thread.id: (thread.user_time + thread.system_time) * 1000 for thread in worker.threads()}
    return sum(threads.values()), max(spent for thread, spent in threads.items() if thread != worker.pid)


if __name__ == "__main__":
    main()
