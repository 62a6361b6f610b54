"""Speed of the models alone: the bundle in a bare loop, with the number of threads as in a server.

    python -m benchmarks.kernel [--rounds 5] [--seconds 3] [--processes N]

Method: masked texts of `benchmarks.workload` in groups of 32. Each group is sorted by length and run in batches of 1, 8
or 32, which is the best that a server under load could do with a full queue. Features, base models, meta-learner,
calibration and the values of the answer are included; parsing, masking, policy and rendering are not. The loop runs in
one process, and in as many parallel processes as there are API workers: cores that share a cache or an arithmetic unit
are slower in parallel, as in a server. CPU is user plus system time of the processes; texts per second are those of the
whole machine. Cases run in turn in each round; median, minimum and maximum are shown.

`benchmarks.serving` runs this loop in the same rounds as the server; use that for comparisons.
"""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.results import Column, RoundStats, argument_parser, print_result, print_table
from benchmarks.workload import messages
from bentos.wiring.model import open_bundle_at, open_trusted_bundle
from frontdesk.config import load_settings
from frontdesk.masking import mask
from runners.ensemble.warm_up import load_warm_ensemble
from runners.models.onnx_session import find_execution_provider

BATCH_SIZES = (1, 8, 32)
SORTED_TEXTS = 32
TEXTS = 4096
COLUMNS: tuple[Column, ...] = (
    ("CPU ms per text", "cpu_ms_per_text", ".2f"),
    ("texts/s of the machine", "texts_per_s", ".0f"),
    ("p50 of a call, ms", "call_p50_ms", ".2f"),
)


@dataclass(frozen=True, slots=True)
class LoopResult:
    """Result of one process: texts, seconds, CPU seconds, and the seconds of each call."""

    texts: int
    wall_s: float
    cpu_s: float
    calls_s: Sequence[float]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """Result of one round over all processes."""

    texts_per_s: float
    cpu_ms_per_text: float
    call_p50_ms: float

    @classmethod
    def of(cls, loops: Sequence[LoopResult]) -> RoundResult:
        return cls(
            sum(loop.texts / loop.wall_s for loop in loops),
            sum(loop.cpu_s for loop in loops) * 1000 / sum(loop.texts for loop in loops),
            statistics.median(call for loop in loops for call in loop.calls_s) * 1000,
        )


class Kernel:
    """Child processes with a warm bundle. Between runs they block and use no CPU."""

    def __init__(self, ends: Sequence[Connection]) -> None:
        self._ends = ends

    def run(self, batch: int, seconds: float, processes: int) -> RoundResult:
        """Run the loop in `processes` parallel processes."""
        connections = self._ends[:processes]
        for connection in connections:
            connection.send((batch, seconds))
        return RoundResult.of([connection.recv() for connection in connections])


@contextmanager
def open_kernel(bundle: Path, processes: int) -> Iterator[Kernel]:
    """Start the processes and wait until each has warmed up."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the master process sets it for workers
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    children = [context.Process(target=_run_commands, args=(child_end, bundle), daemon=True) for _, child_end in pipes]
    for child in children:
        child.start()
    try:
        for parent_end, child_end in pipes:
            child_end.close()
            parent_end.recv()
        yield Kernel([parent_end for parent_end, _ in pipes])
    finally:
        for (parent_end, _), child in zip(pipes, children, strict=True):
            parent_end.close()  # the child exits at the end of the pipe
            child.join(timeout=10)


def group_by_length(texts: Sequence[str], batch: int, sorted_texts: int = SORTED_TEXTS) -> list[list[str]]:
    """Batches of texts of similar length; texts are sorted within groups of `sorted_texts` only."""
    return [
        list(group[start : start + batch])
        for first in range(0, len(texts), sorted_texts)
        for group in [sorted(texts[first : first + sorted_texts], key=len)]
        for start in range(0, len(group), batch)
    ]


def _run_commands(commands: Connection, bundle: Path) -> None:
    settings = load_settings()
    model = settings.model
    provider = find_execution_provider(model.provider, settings.engines)
    ensemble = load_warm_ensemble(
        open_bundle_at(settings, bundle), model.onnx_threads, provider=provider, precision=model.precision
    )
    texts = [mask(text).text for text in messages(TEXTS)]
    groups = {batch: itertools.cycle(group_by_length(texts, batch)) for batch in BATCH_SIZES}
    gc.collect()
    gc.freeze()  # as a worker does
    commands.send("ready")
    while True:
        try:
            batch, seconds = commands.recv()
        except EOFError:
            return
        calls_s = []
        texts_run, cpu_before, start = 0, time.process_time(), time.perf_counter()
        while (started := time.perf_counter()) < start + seconds:
            group = next(groups[batch])
            ensemble.understand(group)
            calls_s.append(time.perf_counter() - started)
            texts_run += len(group)
        commands.send(LoopResult(texts_run, time.perf_counter() - start, time.process_time() - cpu_before, calls_s))


def summarize_rounds(rounds: Sequence[RoundResult]) -> dict[str, RoundStats]:
    return {name: RoundStats.of([getattr(each, name) for each in rounds]) for _, name, _ in COLUMNS}


def main() -> None:
    settings = load_settings()
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="duration of each loop")
    parser.add_argument(
        "--processes",
        type=int,
        default=settings.server.workers,
        help="parallel processes; one process is always measured",
    )
    options = parser.parse_args()
    bundle = open_trusted_bundle(settings)
    cases = [(number, batch) for number in sorted({1, options.processes}) for batch in BATCH_SIZES]
    measured: dict[tuple[int, int], list[RoundResult]] = {case: [] for case in cases}
    with open_kernel(bundle.path, options.processes) as kernel:
        for _ in range(options.rounds):
            for number, batch in cases:
                measured[number, batch].append(kernel.run(batch, options.seconds, number))
    rows = [
        {"processes": number, "batch": batch, **summarize_rounds(measured[number, batch])} for number, batch in cases
    ]
    threads = settings.model.onnx_threads
    columns = [("processes", "processes", "d"), ("batch", "batch", "d"), *COLUMNS]
    print_table(f"The models alone, bundle {bundle.version}, {threads} thread(s) per session", columns, rows)
    result = {"bundle": bundle.version, "threads": threads, "rounds": options.rounds, "rows": rows}
    print_result("kernel", result)


if __name__ == "__main__":
    main()
