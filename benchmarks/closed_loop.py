"""Closed loops on the server at several concurrencies, in turn with the models alone (the kernel).

CPU per request is compared within a round. The kernel value of a ratio is that of its cheapest batch size (8 or 32
texts of similar length) in as many processes as the server has workers; at concurrency 1, that of single texts in one
process. Every second round runs in reverse order, so that a drift of the machine's speed favours neither side.

The score cache is measured on a separate server, with repeated texts and with new texts.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kernel import Kernel, RoundResult
from benchmarks.load import Load, closed_loop, grpc_loop
from benchmarks.results import RoundStats, ratios_by_round
from benchmarks.server import Server, cpu_s_between, running
from benchmarks.workload import BATCH, QUERIES, UNDERSTAND, build_requests, messages, mix_requests, write_requests
from frontdesk.config import ModelSettings

TEXTS = 4096
BATCHED_TEXTS = 32
SHARED_BATCHES = (8, 32)
ALONE = "alone"
MIX = "mix"
HOT_TEXTS = 256
MAX_COLD_PER_S = 2000
"""Texts for each second of a cold round; more than it can send."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request and the number in flight. `path` MIX is the request mix of `benchmarks.workload`."""

    group: str
    name: str
    concurrency: int
    path: str = UNDERSTAND
    texts: int = 1
    store: bool = False
    grpc: bool = False

    @property
    def key(self) -> str:
        return f"{self.name} at {self.concurrency}"


MAIN_CASE = Case("closed", "understand", 64)
GRPC_CASE = Case("grpc", "understand, gRPC", 64, grpc=True)
BATCH_CASE = Case("batch", f"batch of {BATCHED_TEXTS}", 8, BATCH, BATCHED_TEXTS)
STORED_CASE = Case("stored", "understand, stored", 64, store=True)
SINGLE_CASE = Case("closed", "understand", 1)
CASES = (
    SINGLE_CASE,
    Case("closed", "understand", 8),
    MAIN_CASE,
    Case("closed", "understand", 256),
    BATCH_CASE,
    STORED_CASE,
    Case("stored", "queries, stored", 64, QUERIES, store=True),
    Case("mix", "mix, stored", 64, MIX, store=True),
    GRPC_CASE,
)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One load, the CPU of all processes of the server, and their memory afterwards."""

    load: Load
    texts: float
    server_cpu_s: float
    rss_mb: float

    @property
    def cpu_ms_per_text(self) -> float:
        return self.server_cpu_s * 1000 / self.texts

    @property
    def texts_per_s(self) -> float:
        return self.load.throughput * self.texts / max(self.load.good, 1)


@dataclass(frozen=True, slots=True)
class Rounds:
    """All rounds in order: of the server by key of the case, of the kernel by batch size."""

    served: Mapping[str, Sequence[LoadResult]]
    kernel: Mapping[str, Sequence[RoundResult]]

    @property
    def reference(self) -> str:
        """The batch size with the lowest CPU of the kernel."""
        return min(
            map(str, SHARED_BATCHES),
            key=lambda batch: statistics.median(each.cpu_ms_per_text for each in self.kernel[batch]),
        )

    def row(self, case: Case) -> dict[str, Any]:
        """Summarize a case over all rounds.

        `efficiency` is CPU of the kernel / CPU of the server; `wall_ratio` is texts per second of the server / texts
        per second of the kernel; `client_cores` is the CPU of the load generator in seconds per second.
        """
        results = self.served[case.key]
        kernel_rounds = self.kernel[ALONE if case.concurrency == 1 else self.reference]
        loads = [each.load for each in results]
        return {
            "name": case.name,
            "concurrency": case.concurrency,
            "cpu_ms_per_text": RoundStats.of([each.cpu_ms_per_text for each in results]),
            "efficiency": ratios_by_round(
                [each.cpu_ms_per_text for each in kernel_rounds], [each.cpu_ms_per_text for each in results]
            ),
            "wall_ratio": ratios_by_round(
                [each.texts_per_s for each in results], [each.texts_per_s for each in kernel_rounds]
            ),
            "requests_per_s": RoundStats.of([load.throughput for load in loads]),
            **summarize_latencies(loads),
            "client_cores": statistics.median(load.client_cpu_s / load.seconds for load in loads),
            "rss_mb": max(each.rss_mb for each in results),
        }


def summarize_latencies(loads: Sequence[Load]) -> dict[str, Any]:
    """Percentiles of latency over the rounds, and the sums of refused and failed requests."""
    return {
        **{
            f"p{share * 100:.0f}_ms": RoundStats.of([load.latency_ms(share) for load in loads])
            for share in (0.5, 0.95, 0.99)
        },
        "refused": sum(load.refused for load in loads),
        "failed": sum(load.failed for load in loads),
    }


def write_bodies(case: Case, folder: Path) -> tuple[Path, float]:
    """Write the requests of a case to a file; return it and the mean number of texts per request."""
    texts = messages(TEXTS)
    requests = list(
        mix_requests(texts)
        if case.path == MIX
        else build_requests(case.path, texts, store=case.store, texts_each=case.texts)
    )
    file = folder / f"{case.path.strip('/').replace('/', '-')}-{case.texts}-{'stored' if case.store else 'not-stored'}"
    return write_requests(file, requests), sum(len(each.texts) for each in requests) / len(requests)


def run_load(server: Server, texts_each: float, load: Callable[[], Load]) -> LoadResult:
    """Run a load on an idle server and measure the CPU of the server."""
    before = server.wait_until_idle()
    result = load()
    return LoadResult(result, max(result.good, 1) * texts_each, cpu_s_between(before, server.cpu()), server.rss_mb())


def run_case(server: Server, case: Case, bodies: Path, texts_each: float, seconds: float) -> LoadResult:
    """Run one round of a case."""
    loop = grpc_loop if case.grpc else closed_loop
    return run_load(server, texts_each, lambda: loop(server, bodies, case.concurrency, seconds))


def run_rounds(
    server: Server,
    kernel: Kernel,
    cases: Sequence[Case],
    *,
    workers: int,
    rounds: int,
    seconds: float,
    report: Callable[[str], None],
) -> Rounds:
    """Run all cases and all kernel loops in turn, `rounds` times, after a warm-up."""
    served: dict[str, list[LoadResult]] = {case.key: [] for case in cases}
    kernel_rounds: dict[str, list[RoundResult]] = {name: [] for name in (ALONE, *map(str, SHARED_BATCHES))}
    with tempfile.TemporaryDirectory() as folder:
        bodies = {case.key: write_bodies(case, Path(folder)) for case in cases}
        run_case(server, MAIN_CASE, *write_bodies(MAIN_CASE, Path(folder)), seconds)
        for number in range(rounds):
            steps: list[Case | str] = [*kernel_rounds, *cases]
            for step in steps if number % 2 == 0 else reversed(steps):
                report(f"round {number + 1} of {rounds}: {step if isinstance(step, str) else step.key}")
                if isinstance(step, Case):
                    served[step.key].append(run_case(server, step, *bodies[step.key], seconds))
                elif step == ALONE:
                    kernel_rounds[step].append(kernel.run(1, seconds, 1))
                else:
                    kernel_rounds[step].append(kernel.run(int(step), seconds, workers))
    return Rounds(served, kernel_rounds)


def run_cache(workers: int, placement: str, rounds: int, seconds: float) -> dict[str, RoundStats]:
    """Measure requests per second and CPU ms per request with new texts (cold) and repeated texts (hot), in turn.

    The cache has its default size; `gain` is the ratio hot / cold of requests per second.
    """
    per_round = round(seconds * MAX_COLD_PER_S)
    texts = messages(HOT_TEXTS + per_round * (rounds + 1))
    cold, hot = list[LoadResult](), list[LoadResult]()
    size = ModelSettings().cached_texts
    with (
        tempfile.TemporaryDirectory() as folder,
        running(workers=workers, placement=placement, cached_texts=size) as server,
    ):

        def run(first: int, count: int, seconds: float) -> LoadResult:
            bodies = build_requests(UNDERSTAND, texts[first : first + count], store=False)
            return run_case(server, MAIN_CASE, write_requests(Path(folder) / "requests", bodies), 1, seconds)

        run(HOT_TEXTS, per_round, seconds)
        run(0, HOT_TEXTS, seconds * 2)
        for number in range(1, rounds + 1):
            cold.append(run(HOT_TEXTS + number * per_round, per_round, seconds))
            run(0, HOT_TEXTS, 1)  # refill the cache after a cold round
            hot.append(run(0, HOT_TEXTS, seconds))
    cold_per_s, hot_per_s = ([result.load.throughput for result in side] for side in (cold, hot))
    return {
        "cold_per_s": RoundStats.of(cold_per_s),
        "hot_per_s": RoundStats.of(hot_per_s),
        "gain": ratios_by_round(hot_per_s, cold_per_s),
        "cold_cpu_ms": RoundStats.of([result.cpu_ms_per_text for result in cold]),
        "hot_cpu_ms": RoundStats.of([result.cpu_ms_per_text for result in hot]),
    }
