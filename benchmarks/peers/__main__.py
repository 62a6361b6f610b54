"""The same bundle in other servers: requests per second, latency, CPU and memory, in one run.

    python -m benchmarks.peers [--quick] [--only frontdesk,mosec] [--rounds N] [--seconds S] [--plot FILE]

Method: the champion of this machine (or FRONTDESK_MODEL__BUNDLE), the whole ensemble, encoders in the precision that is
served here, one onnxruntime thread per process and one worker process per core. Every server gets the same POST
{"text": ...} and returns the whole understanding as JSON; intents and confidences are first compared with those of
`Ensemble.understand`. Texts are those of `benchmarks/workload.py`, already masked, so that all models get the same
input. Texts are distinct within a run, caches are off, nothing is stored. The load generator is `wrk` on the same
cores, a closed loop with 1, 8 and 64 requests in flight, after a warm-up at each level. Servers run one after another;
each round starts with the next one. Values are medians over the rounds, with minimum and maximum.

Only Frontdesk also checks a token, masks, decides and keeps metrics, which is included in its values. CPU per request
is that of all processes of a server, so an idle polling loop is visible at concurrency 1. The module of each server
describes its set-up. Needs the extra `bench`, and wrk.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from matplotlib.axes import Axes
from rich.console import Console

from benchmarks.peers.harness import (
    PEERS,
    Expected,
    LevelResult,
    LoadPlan,
    measure_peer,
    rotate_peers,
    select_peers,
    summarize_levels,
)
from benchmarks.peers.model import BUNDLE_VARIABLE, CORES, PRECISION_VARIABLE
from benchmarks.report import error_bars
from benchmarks.results import Column, argument_parser, print_result, print_table, to_json_values
from benchmarks.workload import messages
from bentos.wiring.model import open_trusted_bundle
from frontdesk.config import load_settings
from frontdesk.masking import mask
from model_store.bundle import Bundle
from runners.ensemble.warm_up import load_warm_ensemble
from runners.models.onnx_encoder import ENCODER_MEMBERS, PrecisionSetting
from training.report.plot_style import ENSEMBLE, INK, MODEL_COLOURS, SOFT, open_figure

TEXTS, CHECKED = 20_000, 48
ROUNDS, SECONDS, WARM_UP_S = 3, 10.0, 3.0
CONCURRENCIES = (1, 8, 64)
COLUMNS: tuple[Column, ...] = (
    ("server", "title", ""),
    ("in flight", "concurrency", "d"),
    ("requests/s", "per_s", ".0f"),
    ("p50 ms", "p50_ms", ".1f"),
    ("p95 ms", "p95_ms", ".1f"),
    ("errors", "errors", "d"),
    ("CPU ms", "cpu_ms", ".2f"),
    ("RSS MB", "rss_mb", ".0f"),
    ("Frontdesk, times", "frontdesk", ".2f"),
)
COLOURS = (ENSEMBLE, *MODEL_COLOURS, SOFT)
BAR_WIDTH = 0.8  # of all servers together, as a share of the space for one concurrency
TITLES = {peer.name: peer.title for peer in PEERS}


def main() -> None:
    options = _arguments()
    console = Console(stderr=True)
    settings = load_settings()
    bundle = open_trusted_bundle(settings)
    if missing := set(ENCODER_MEMBERS) - set(bundle.manifest.members):
        raise SystemExit(f"This benchmark serves the whole ensemble; the bundle has no {' and no '.join(missing)}.")
    precision = _pin(bundle, settings.model.precision)
    texts = [mask(text).text for text in messages(TEXTS)]
    expected = _expected(bundle, precision, texts[-CHECKED:])
    peers, plan = select_peers(options.only), LoadPlan(CONCURRENCIES, options.seconds, options.warm_up)
    measured: list[LevelResult] = []
    for turn in range(options.rounds):
        for peer in rotate_peers(peers, turn):
            with console.status(f"round {turn + 1} of {options.rounds}: {peer.title}"):
                measured += measure_peer(peer, turn, plan, texts, expected)
    rows = [{"title": TITLES[row["peer"]], **row} for row in to_json_values(summarize_levels(measured))]
    draw_plot(rows, options.plot or settings.home / "benchmarks" / "peers.png")
    regime = f"bundle {bundle.version}, {precision}, {CORES} cores, {options.rounds} rounds"
    print_table(f"The same models in other servers: {regime}", COLUMNS, rows)
    how = {"rounds": options.rounds, "seconds": options.seconds, "bundle": bundle.version, "precision": precision}
    print_result("peers", {**how, "rows": rows})


def _arguments() -> argparse.Namespace:
    parser = argument_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 3 s per level, as a functional check")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(peer.name for peer in PEERS)}")
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}")
    parser.add_argument("--seconds", type=float, help=f"duration of each level, default {SECONDS:.0f}")
    parser.add_argument("--plot", type=Path, help="path of the PNG; default: in the home folder")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else ROUNDS)
    options.seconds = options.seconds or (3.0 if options.quick else SECONDS)
    options.warm_up = 1.0 if options.quick else WARM_UP_S
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt-get install wrk")
    try:
        select_peers(options.only)
    except ValueError as error:
        parser.error(str(error))
    return options


def _pin(bundle: Bundle, wish: PrecisionSetting) -> str:
    """Set bundle, precision and one BLAS thread in the environment of all servers started by this process."""
    precision = load_warm_ensemble(bundle, threads=1, precision=wish).precision
    os.environ[BUNDLE_VARIABLE], os.environ[PRECISION_VARIABLE] = str(bundle.path), precision
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    return precision


def _expected(bundle: Bundle, precision: str, texts: Sequence[str]) -> Expected:
    ensemble = load_warm_ensemble(bundle, threads=1, precision=cast(PrecisionSetting, precision))
    intents = [understanding.intent for understanding in ensemble.understand(texts)]
    return [(text, intent.label, intent.confidence) for text, intent in zip(texts, intents, strict=True)]


def draw_plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the PNG: throughput and 95th percentile of every server. Error bars span the minimum and maximum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_figure(path, height_inches=8.0) as figure:
        above, below = figure.subplots(2, 1)
        _bars(above, rows, "per_s", "Requests per second, more is better")
        _bars(below, rows, "p95_ms", "95th percentile of latency in ms, logarithmic, less is better")
        below.set_yscale("log")
        below.set_ylim(bottom=1)
        below.yaxis.set_major_formatter("{x:g}")
        figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _bars(axes: Axes, rows: Sequence[dict[str, Any]], figure: str, title: str) -> None:
    peers = [name for name in TITLES if any(row["peer"] == name for row in rows)]
    levels = sorted({row["concurrency"] for row in rows})
    width = BAR_WIDTH / len(peers)
    for place, peer in enumerate(peers):
        own = [row for row in rows if row["peer"] == peer]
        x = [levels.index(row["concurrency"]) + (place - (len(peers) - 1) / 2) * width for row in own]
        medians, errors = error_bars(own, figure)
        colour = COLOURS[list(TITLES).index(peer)]
        axes.bar(x, medians, width, yerr=errors, color=colour, ecolor=INK, capsize=2, label=TITLES[peer])
    axes.set_xticks(range(len(levels)), [f"{level} in flight" for level in levels])
    axes.set_title(title)


if __name__ == "__main__":
    main()
