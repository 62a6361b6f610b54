"""What the score cache is worth: the same texts again, against texts that were never seen, with the cache on.

The hot texts fit into the cache many times over and are sent until every worker has seen them; cold texts are new in
every round. Decisions, priorities and rendering are computed afresh on both sides.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.closed_loop import MAIN_CASE, Observed, observe
from benchmarks.load import closed_loop
from benchmarks.server import Server, running
from benchmarks.spread import Spread, ratios
from benchmarks.traffic import UNDERSTAND, messages, requests, write_requests
from frontdesk.config import ModelSettings

HOT_TEXTS = 256
MOST_COLD_PER_S = 2000
"""So many texts are written down for each second of a cold round: more than it can send."""


@dataclass(frozen=True, slots=True)
class CacheGain:
    """Requests a second and CPU ms a request, cold and hot; `gain` is hot by cold, requests a second."""

    cold_per_s: Spread
    hot_per_s: Spread
    gain: Spread
    cold_cpu_ms: Spread
    hot_cpu_ms: Spread


def run_cache(workers: int, placement: str, rounds: int, seconds: float) -> CacheGain:
    """Cold and hot in turn, on a server of its own with the cache at its default size."""
    size = ModelSettings().cached_texts
    each = round(seconds * MOST_COLD_PER_S)
    texts = messages(HOT_TEXTS + each * (rounds + 1))
    cold, hot = list[Observed](), list[Observed]()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(workers=workers, placement=placement, cached_texts=size) as server,
    ):
        same = _write(Path(folder) / "hot", texts[:HOT_TEXTS])
        new = [
            _write(Path(folder) / f"cold-{number}", texts[HOT_TEXTS + number * each :][:each])
            for number in range(rounds + 1)
        ]
        _run(server, new.pop(), seconds)
        _run(server, same, seconds * 2)
        for unseen in new:
            cold.append(_run(server, unseen, seconds))
            _run(server, same, 1)  # back into the cache what a cold round may have pushed out
            hot.append(_run(server, same, seconds))
    return CacheGain(
        cold_per_s=Spread.of([seen.load.throughput for seen in cold]),
        hot_per_s=Spread.of([seen.load.throughput for seen in hot]),
        gain=ratios([seen.load.throughput for seen in hot], [seen.load.throughput for seen in cold]),
        cold_cpu_ms=Spread.of([seen.cpu_ms_per_text for seen in cold]),
        hot_cpu_ms=Spread.of([seen.cpu_ms_per_text for seen in hot]),
    )


def _write(file: Path, texts: list[str]) -> Path:
    return write_requests(file, requests(UNDERSTAND, texts, store=False))


def _run(server: Server, bodies: Path, seconds: float) -> Observed:
    return observe(server, 1, lambda: closed_loop(server, bodies, MAIN_CASE.concurrency, seconds))
