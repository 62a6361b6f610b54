"""The same bundle behind other servers: requests a second, latency, CPU and memory, in one run.

    python -m benchmarks.peers [--quick] [--only frontdesk,mosec] [--rounds N] [--seconds S] [--plot FILE]

Regime: the champion of this machine (or FRONTDESK_MODEL__BUNDLE), the whole ensemble, encoders in the precision that
is served here, one onnxruntime thread a process and as many worker processes as there are cores. Every server gets the
same POST {"text": ...} and gives the whole understanding as JSON, and is first checked to give the intents and
confidences of `Ensemble.understand`. Texts are those of `benchmarks/traffic.py`, already masked, so that all models
read the same; no text comes twice in a run, caches are off, nothing is stored. Load is `wrk` on the same cores, closed
loop with 1, 8 and 64 requests in flight, after a warm-up at each level. Servers run one after another, in an order that
moves on by one every round; figures are medians over the rounds, with least and most.

The others need no token, no masking, no decision, no metrics: Frontdesk does all that within its figure. CPU a request
is that of all processes of a server, so an idle loop that polls shows at concurrency 1. How each is set up, and why, is
in its own file. Needs the extras `bench` and `encoders`, and wrk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.peers.harness import Expected, Measured, Plan, measure
from benchmarks.peers.line_up import FRONTDESK, LINE_UP, chosen, in_turn
from benchmarks.peers.model import BUNDLE_VARIABLE, CORES, PRECISION_VARIABLE
from benchmarks.peers.plot import draw
from benchmarks.peers.summary import Row, summarise
from benchmarks.traffic import messages
from bentos.wiring.model import trusted_bundle
from frontdesk.config import load
from frontdesk.masking import mask
from model_store.bundle import Bundle
from runners.ensemble.warm_up import open_warm
from runners.models.encoder import ENCODER_MEMBERS, PrecisionWish

TEXTS, CHECKED = 20_000, 48
ROUNDS, SECONDS, WARM_UP_S = 3, 10.0, 3.0
CONCURRENCIES = (1, 8, 64)
WIDTH = 150


def main() -> None:
    wanted = _arguments()
    console = Console(stderr=True)
    settings = load()
    bundle = trusted_bundle(settings)
    if missing := set(ENCODER_MEMBERS) - set(bundle.manifest.members):
        raise SystemExit(f"This benchmark serves the whole ensemble; the bundle has no {' and no '.join(missing)}.")
    precision = _pin(bundle, settings.model.precision)
    texts = [mask(text).text for text in messages(TEXTS)]
    expected = {which: _expected(bundle, which, texts[-CHECKED:]) for which in {precision, "fp32"}}
    peers, plan = chosen(wanted.only), Plan(CONCURRENCIES, wanted.seconds, wanted.warm_up)
    measured: list[Measured] = []
    for turn in range(wanted.rounds):
        for peer in in_turn(peers, turn):
            with console.status(f"round {turn + 1} of {wanted.rounds}: {peer.title}"):
                measured += measure(peer, turn, plan, texts, expected["fp32" if peer.fp32 else precision])
    rows = summarise(measured)
    draw(rows, wanted.plot or settings.home / "benchmarks" / "peers.png")
    _print_table(rows, f"bundle {bundle.version}, {precision}, {CORES} cores, {wanted.rounds} rounds")
    how = {"rounds": wanted.rounds, "seconds": wanted.seconds, "bundle": bundle.version, "precision": precision}
    where = machine() | {"command": f"python -m benchmarks.peers {' '.join(sys.argv[1:])}".strip()}
    print(json.dumps({"benchmark": "peers", **where, **how, "rows": [asdict(row) for row in rows]}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one round of 3 s a level: does everything run?")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(peer.name for peer in LINE_UP)}")
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}")
    parser.add_argument("--seconds", type=float, help=f"of each level, default {SECONDS:.0f}")
    parser.add_argument("--plot", type=Path, help="the PNG; by default below the home folder")
    wanted = parser.parse_args()
    wanted.rounds = wanted.rounds or (1 if wanted.quick else ROUNDS)
    wanted.seconds = wanted.seconds or (3.0 if wanted.quick else SECONDS)
    wanted.warm_up = 1.0 if wanted.quick else WARM_UP_S
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt-get install wrk")
    try:
        chosen(wanted.only)
    except ValueError as error:
        parser.error(str(error))
    return wanted


def _pin(bundle: Bundle, wish: PrecisionWish) -> str:
    """Fix bundle and precision for every server that is started from here, and keep BLAS to one thread in all."""
    precision = open_warm(bundle, threads=1, precision=wish).precision
    os.environ[BUNDLE_VARIABLE], os.environ[PRECISION_VARIABLE] = str(bundle.path), precision
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    return precision


def _expected(bundle: Bundle, precision: str, texts: Sequence[str]) -> Expected:
    ensemble = open_warm(bundle, threads=1, precision=cast(PrecisionWish, precision))
    intents = [understanding.intent for understanding in ensemble.understand(texts)]
    return [(text, intent.label, intent.confidence) for text, intent in zip(texts, intents, strict=True)]


def _print_table(rows: Sequence[Row], what: str) -> None:
    table = Table(title=f"The same models behind other servers: {what}", width=WIDTH)
    for heading in ("server", "in flight", "requests/s", "p50 ms", "p95 ms", "errors", "CPU ms", "RSS MB", "Frontdesk"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    titles = {peer.name: peer.title for peer in LINE_UP}
    for row in rows:
        table.add_row(
            titles[row.peer],
            str(row.concurrency),
            f"{row.per_s:.0f}",
            f"{row.p50_ms.median:.1f}",
            f"{row.p95_ms:.1f}",
            str(row.errors),
            f"{row.cpu_ms:.2f}",
            f"{row.rss_mb.median:.0f}",
            f"x {row.frontdesk:.2f}" if row.frontdesk else "",
            style="bold" if row.peer == FRONTDESK else None,
        )
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    main()
