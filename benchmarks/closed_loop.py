"""Server and bare models in turn: closed loops at several concurrencies, each round beside the kernel's own loops.

What a request costs is compared within a round. The kernel's side of a ratio is its cheapest batch (8 or 32 texts of
like length) in as many processes as the server has workers; at concurrency 1 it is single texts in one process. Every
other round runs backwards, so that a machine that gets slower or faster favours neither side.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kernel import Kernel, Round
from benchmarks.load import Load, closed_loop, run_client
from benchmarks.server import Server, spent_s
from benchmarks.spread import Spread, ratios
from benchmarks.traffic import BATCH, QUERIES, UNDERSTAND, messages, mixed, requests, write_requests

TEXTS = 4096
BATCHED_TEXTS = 32
SHARED_BATCHES = (8, 32)
ALONE = "alone"
MIX = "mix"


@dataclass(frozen=True, slots=True)
class Case:
    """One row: what is asked, in how many requests at once. `path` MIX means the written mix of traffic."""

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
class Observed:
    """One run of load, what all processes of the server spent on it, and what memory they had afterwards."""

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
class Row:
    """A case over all rounds.

    `efficiency` is the kernel's CPU by the server's, `wall_ratio` the server's texts a second by the kernel's;
    `client_cores` is the CPU of the load generator, seconds a second.
    """

    name: str
    concurrency: int
    cpu_ms_per_text: Spread
    efficiency: Spread
    wall_ratio: Spread
    requests_per_s: Spread
    p50_ms: Spread
    p95_ms: Spread
    p99_ms: Spread
    refused: int
    failed: int
    client_cores: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Rounds:
    """Everything seen, in the order of the rounds: by the key of a case, and of the kernel by batch."""

    served: Mapping[str, Sequence[Observed]]
    kernel: Mapping[str, Sequence[Round]]

    @property
    def reference(self) -> str:
        """The batch in which the kernel is cheapest."""
        return min(
            map(str, SHARED_BATCHES),
            key=lambda batch: statistics.median(each.cpu_ms_per_text for each in self.kernel[batch]),
        )

    def row(self, case: Case) -> Row:
        seen = self.served[case.key]
        bare = self.kernel[ALONE if case.concurrency == 1 else self.reference]
        loads = [each.load for each in seen]
        return Row(
            name=case.name,
            concurrency=case.concurrency,
            cpu_ms_per_text=Spread.of([each.cpu_ms_per_text for each in seen]),
            efficiency=ratios([each.cpu_ms_per_text for each in bare], [each.cpu_ms_per_text for each in seen]),
            wall_ratio=ratios([each.texts_per_s for each in seen], [each.texts_per_s for each in bare]),
            requests_per_s=Spread.of([load.throughput for load in loads]),
            p50_ms=Spread.of([load.latency_ms(0.50) for load in loads]),
            p95_ms=Spread.of([load.latency_ms(0.95) for load in loads]),
            p99_ms=Spread.of([load.latency_ms(0.99) for load in loads]),
            refused=sum(load.refused for load in loads),
            failed=sum(load.failed for load in loads),
            client_cores=statistics.median(load.client_cpu_s / load.seconds for load in loads),
            rss_mb=max(each.rss_mb for each in seen),
        )


def write_bodies(case: Case, folder: Path) -> tuple[Path, float]:
    """The case's requests as a file, and how many texts a request carries on average."""
    texts = messages(TEXTS)
    wanted = list(
        mixed(texts) if case.path == MIX else requests(case.path, texts, store=case.store, texts_each=case.texts)
    )
    file = folder / f"{case.path.strip('/').replace('/', '-')}-{case.texts}-{'stored' if case.store else 'not-stored'}"
    return write_requests(file, wanted), sum(len(each.texts) for each in wanted) / len(wanted)


def observe(server: Server, texts_each: float, load: Callable[[], Load]) -> Observed:
    """Run the load on an idle server and read its CPU before and after."""
    before = server.wait_until_idle()
    seen = load()
    return Observed(seen, max(seen.good, 1) * texts_each, spent_s(before, server.cpu()), server.rss_mb())


def serve(server: Server, case: Case, bodies: Path, texts_each: float, seconds: float) -> Observed:
    """One round of a case."""
    if case.grpc:
        return observe(server, texts_each, lambda: grpc_loop(server, bodies, case.concurrency, seconds))
    return observe(server, texts_each, lambda: closed_loop(server, bodies, case.concurrency, seconds))


def grpc_loop(server: Server, bodies: Path, concurrency: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "answers"
        command = [
            sys.executable, "-m", "benchmarks.grpc_load", "--address", server.grpc_address, "--requests", str(bodies),
            "--results", str(results), "--concurrency", str(concurrency), "--seconds", str(seconds),
        ]  # fmt: skip
        return run_client(command, results, seconds, os.environ | {"BENCHMARK_TOKEN": server.token})


def run_rounds(
    server: Server,
    kernel: Kernel,
    cases: Sequence[Case],
    *,
    workers: int,
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Rounds:
    """All cases and the kernel's loops in turn, `rounds` times, after one run that warms everything up."""
    served: dict[str, list[Observed]] = {case.key: [] for case in cases}
    alone: dict[str, list[Round]] = {name: [] for name in (ALONE, *map(str, SHARED_BATCHES))}
    with tempfile.TemporaryDirectory() as folder:
        bodies = {case.key: write_bodies(case, Path(folder)) for case in cases}
        serve(server, MAIN_CASE, *write_bodies(MAIN_CASE, Path(folder)), seconds)
        for number in range(rounds):
            steps: list[Case | str] = [*alone, *cases]
            for step in steps if number % 2 == 0 else reversed(steps):
                tell(f"round {number + 1} of {rounds}: {step if isinstance(step, str) else step.key}")
                if isinstance(step, Case):
                    served[step.key].append(serve(server, step, *bodies[step.key], seconds))
                elif step == ALONE:
                    alone[step].append(kernel.run(1, seconds, 1))
                else:
                    alone[step].append(kernel.run(int(step), seconds, workers))
    return Rounds(served, alone)
