"""How close does the server come to the models alone, and does it hold under load? Both sides in one run.

    python -m benchmarks.serving [--quick] [--placement NAME] [--only GROUPS] [--soak MINUTES] [--plots FOLDER]

Regime: the champion of this machine (or FRONTDESK_MODEL__BUNDLE), a server as users start it (authentication, metrics,
access log; storing where the row says so), as many workers as configured, score cache off, and the written length mix
of `benchmarks.traffic` in distinct texts. Load comes from wrk, whose own CPU is shown; it runs on the same machine, so
the wall-clock ratio pays for it and the CPU ratio does not. The bare loop of `benchmarks.kernel` takes turns with the
server in every round, and ratios are formed within a round. The peak is the best median of the closed loops.

Groups: closed (concurrency 1, 8, 64, 256; always there, the peak comes from it), batch (32 texts a request), stored,
mix (the traffic mix), grpc, open (50, 70, 90, 120 % of the peak), overload (300 % and recovery), cache (the same texts
again, against texts never seen, with the cache on). `--soak` adds minutes at 70 % of the peak, with the memory of each.

Prints tables and whether each promise is kept; the last line is JSON, also written to serving.json beside the plots.
All groups take about eight minutes on two cores that nobody else uses.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.cache import run_cache
from benchmarks.closed_loop import CASES, MAIN_CASE, Observed, Rounds, run_rounds, write_bodies
from benchmarks.kernel import open_kernel, summary
from benchmarks.machine import PROJECT, machine
from benchmarks.overload import SHARES, OpenRow, run_open, run_overload
from benchmarks.plots import draw
from benchmarks.promises import promises
from benchmarks.report import last_line, print_report
from benchmarks.server import Server, running
from benchmarks.soak import run_soak
from bentos.wiring.model import trusted_bundle
from frontdesk.config import load

GROUPS = ("closed", "batch", "stored", "mix", "grpc", "open", "overload", "cache")
PLOTS = PROJECT / "var" / "benchmarks"

Result = dict[str, Any]
"""What the last line holds: JSON once `asdict` has taken the rows apart."""


def main() -> None:
    wanted = _arguments()
    with Console(stderr=True).status("starting") as status:
        found = measure(wanted, status.update)
    found["promises"] = [asdict(promise) for promise in promises(found)]
    print_report(found)
    draw(found, wanted.plots)
    line = last_line(found)
    (wanted.plots / "serving.json").write_text(line, encoding="utf-8")
    print(line)


def measure(wanted: argparse.Namespace, tell: Callable[[str], None]) -> Result:
    """Everything that was asked for. The cache has a server of its own, when the other has ended."""
    settings = load()
    bundle = trusted_bundle(settings)
    asked = {name: getattr(wanted, name) for name in ("placement", "workers", "rounds", "seconds")}
    found: Result = {"benchmark": "serving", "machine": machine(), "bundle": bundle.version, **asked}
    with (
        open_kernel(bundle.path, wanted.workers) as kernel,
        running(workers=wanted.workers, placement=wanted.placement) as server,
    ):
        rounds = run_rounds(
            server,
            kernel,
            [case for case in CASES if case.group in wanted.only],
            workers=wanted.workers,
            rounds=wanted.rounds,
            seconds=wanted.seconds,
            tell=tell,
        )
        found |= _closed(rounds, server)
        tell("open loops")
        found |= _open(server, wanted, found["peak_per_s"], wanted.workers * settings.model.max_waiting_texts)
    if "cache" in wanted.only:
        tell("score cache")
        found["cache"] = asdict(run_cache(wanted.workers, wanted.placement, wanted.rounds, wanted.seconds))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="under two minutes: shows that it works, measures little")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load; the overload takes nine times that")
    parser.add_argument("--workers", type=int, default=load().server.workers)
    parser.add_argument("--placement", default="embedded", choices=("embedded", "dedicated", "distributed"))
    parser.add_argument("--only", type=_groups, default=GROUPS, help=f"comma-separated: {','.join(GROUPS)}")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES")
    parser.add_argument("--plots", type=Path, default=PLOTS, metavar="FOLDER")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.rounds, wanted.seconds = 2, 1.0
    wanted.plots.mkdir(parents=True, exist_ok=True)
    return wanted


def _groups(given: str) -> tuple[str, ...]:
    """Those asked for, and the closed loops, on which the others rest."""
    groups = tuple(given.split(","))
    if unknown := set(groups) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"no such group: {', '.join(sorted(unknown))}")
    return tuple(dict.fromkeys(("closed", *groups)))


def _closed(rounds: Rounds, server: Server) -> Result:
    rows = [rounds.row(case) for case in CASES if case.key in rounds.served]
    return {
        "ready_s": server.ready_s,
        "kernel_reference": rounds.reference,
        "kernel": {
            name: {figure: asdict(spread) for figure, spread in summary(seen).items()}
            for name, seen in rounds.kernel.items()
        },
        "closed": [asdict(row) for row in rows],
        "peak_per_s": max(row.requests_per_s.median for row in rows if row.name == MAIN_CASE.name),
    }


def _open(server: Server, wanted: argparse.Namespace, peak: float, queued: int) -> Result:
    found: Result = {}
    with tempfile.TemporaryDirectory() as folder:
        bodies, _ = write_bodies(MAIN_CASE, Path(folder))
        if "open" in wanted.only:
            seen: dict[float, list[Observed]] = {share: [] for share in SHARES}
            for _ in range(wanted.rounds):
                for share, rows in seen.items():
                    rows.append(run_open(server, bodies, peak, share, wanted.seconds * 2, queued))
            found["open"] = [asdict(OpenRow.of(share, rows)) for share, rows in seen.items()]
        if "overload" in wanted.only:
            overload = run_overload(server, Path(folder), peak, max(wanted.seconds * 3, 4.0), queued)
            found["overload"] = asdict(overload)
        if wanted.soak:
            found["soak"] = [asdict(minute) for minute in run_soak(server, bodies, peak, wanted.soak)]
    return found


if __name__ == "__main__":
    main()
