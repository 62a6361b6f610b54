"""The plot of a run: every server has its own position and colour."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.__main__ import draw_plot
from benchmarks.peers.harness import PEERS, LevelResult, summarize_levels
from benchmarks.results import to_json_values


def test_all_servers_at_all_levels_are_drawn_and_a_slower_one_differently(tmp_path: Path) -> None:
    def picture(name: str, per_s: float) -> bytes:
        measured = [
            LevelResult(peer.name, turn, level, per_s + turn + place, 3.0, 5.0 + place, 0, 4.0, 800.0, 0.1)
            for turn in range(3)
            for place, peer in enumerate(PEERS)
            for level in (1, 8, 64)
        ]
        draw_plot(to_json_values(summarize_levels(measured)), tmp_path / "made" / name)
        return (tmp_path / "made" / name).read_bytes()

    fast = picture("fast.png", 300.0)

    assert fast.startswith(b"\x89PNG")
    assert fast == picture("again.png", 300.0)
    assert fast != picture("slow.png", 100.0)
