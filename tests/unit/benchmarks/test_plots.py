"""Pictures are drawn of the parts that a run has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.plots import draw

FIGURE = {"median": 0.8, "least": 0.7, "most": 0.9}
RUN: dict[str, Any] = {
    "placement": "embedded",
    "peak_per_s": 100.0,
    "closed": [{"name": "understand", "concurrency": 64, "efficiency": FIGURE}],
    "open": [{"share": share, "p50_ms": FIGURE, "p95_ms": FIGURE, "p99_ms": FIGURE} for share in (0.5, 1.2)],
}


def test_each_part_is_a_png_and_what_was_not_run_is_none(tmp_path: Path) -> None:
    drawn = draw(RUN, tmp_path)

    assert [file.name for file in drawn] == ["efficiency.png", "latency.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in drawn)
    assert sorted(tmp_path.iterdir()) == sorted(drawn)
