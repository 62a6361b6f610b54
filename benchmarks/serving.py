"""Efficiency of the server compared with the models alone, and its behaviour under load, in one run.

    python -m benchmarks.serving [--quick] [--placement NAME] [--only GROUPS] [--soak MINUTES] [--plots FOLDER]

Method: the champion of this machine (or FRONTDESK_MODEL__BUNDLE); a server as users start it (authentication, metrics,
access log; storing if the row states it) with the configured number of workers; score cache off; distinct texts of
`benchmarks.workload`. The load generator is wrk on the same machine. Its CPU is shown; it lowers the wall-clock ratio,
but not the CPU ratio. In every round the loop of `benchmarks.kernel` runs in turn with the server, and ratios are
computed within a round. The peak is the highest median of the closed loops.

Groups: closed (concurrency 1, 8, 64, 256; always run, because it gives the peak), batch (32 texts per request), stored,
mix (the request mix), grpc, open (50, 70, 90, 120 % of the peak), overload (300 % and recovery), cache (repeated and
new texts with the cache on). `--soak` adds minutes at 70 % of the peak and shows the memory after each.

Prints tables and the result for each target. The last line is JSON, which is also written to serving.json next to the
plots. All groups take about eight minutes on two otherwise idle cores.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.closed_loop import CASES, MAIN_CASE, LoadResult, Rounds, run_cache, run_rounds, write_bodies
from benchmarks.kernel import open_kernel, summarize_rounds
from benchmarks.overload import SHARES, run_open_loop, run_overload, run_soak, summarize_open_loops
from benchmarks.report import check_targets, draw_plots, print_report
from benchmarks.results import PROJECT, argument_parser, machine, result_line, to_json_values
from benchmarks.server import PLACEMENTS, Server, running
from bentos.wiring.model import open_trusted_bundle
from frontdesk.config import load_settings

GROUPS = ("closed", "batch", "stored", "mix", "grpc", "open", "overload", "cache")
PLOTS_FOLDER = PROJECT / "var" / "benchmarks"

Result = dict[str, Any]


def main() -> None:
    options = _arguments()
    with Console(stderr=True).status("starting") as status:
        result = to_json_values(measure(options, status.update))
    result["promises"] = [promise._asdict() for promise in check_targets(result)]
    print_report(result)
    draw_plots(result, options.plots)
    line = result_line(result)
    (options.plots / "serving.json").write_text(line, encoding="utf-8")
    print(line)


def measure(options: argparse.Namespace, report: Callable[[str], None]) -> Result:
    """Measure the requested groups. The cache is measured on a second server after the first has ended."""
    settings = load_settings()
    bundle = open_trusted_bundle(settings)
    arguments = {name: getattr(options, name) for name in ("placement", "workers", "rounds", "seconds")}
    result: Result = {"benchmark": "serving", "machine": machine(), "bundle": bundle.version, **arguments}
    with (
        open_kernel(bundle.path, options.workers) as kernel,
        running(workers=options.workers, placement=options.placement) as server,
    ):
        rounds = run_rounds(
            server,
            kernel,
            [case for case in CASES if case.group in options.only],
            workers=options.workers,
            rounds=options.rounds,
            seconds=options.seconds,
            report=report,
        )
        result |= _summarize_closed(rounds, server)
        report("open loops")
        queued = options.workers * settings.model.max_waiting_texts
        result |= _run_open_loops(server, options, result["peak_per_s"], queued, report)
    if "cache" in options.only:
        report("score cache")
        result["cache"] = run_cache(options.workers, options.placement, options.rounds, options.seconds)
    return result


def _arguments() -> argparse.Namespace:
    parser = argument_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes: a functional check, not a measurement")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="duration of each load; the overload takes nine times as long"
    )
    parser.add_argument("--workers", type=int, default=load_settings().server.workers)
    parser.add_argument("--placement", default="embedded", choices=PLACEMENTS)
    parser.add_argument("--only", type=_parse_groups, default=GROUPS, help=f"comma-separated: {','.join(GROUPS)}")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES")
    parser.add_argument("--plots", type=Path, default=PLOTS_FOLDER, metavar="FOLDER")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 2, 1.0
    options.plots.mkdir(parents=True, exist_ok=True)
    return options


def _parse_groups(text: str) -> tuple[str, ...]:
    """Parse the requested groups and add the closed loops, which the others require."""
    groups = tuple(text.split(","))
    if unknown := set(groups) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"no such group: {', '.join(sorted(unknown))}")
    return tuple(dict.fromkeys(("closed", *groups)))


def _summarize_closed(rounds: Rounds, server: Server) -> Result:
    rows = [rounds.row(case) for case in CASES if case.key in rounds.served]
    return {
        "ready_s": server.ready_s,
        "kernel_reference": rounds.reference,
        "kernel": {name: summarize_rounds(kernel_rounds) for name, kernel_rounds in rounds.kernel.items()},
        "closed": rows,
        "peak_per_s": max(row["requests_per_s"].median for row in rows if row["name"] == MAIN_CASE.name),
    }


def _run_open_loops(
    server: Server, options: argparse.Namespace, peak: float, queued: int, report: Callable[[str], None]
) -> Result:
    result: Result = {}
    with tempfile.TemporaryDirectory() as folder:
        bodies, _ = write_bodies(MAIN_CASE, Path(folder))
        if "open" in options.only:
            results: dict[float, list[LoadResult]] = {share: [] for share in SHARES}
            for _ in range(options.rounds):
                for share, rows in results.items():
                    rows.append(run_open_loop(server, bodies, peak, share, options.seconds * 2, queued))
            result["open"] = [summarize_open_loops(share, rows) for share, rows in results.items()]
        if "overload" in options.only:
            result["overload"] = run_overload(server, Path(folder), peak, max(options.seconds * 3, 4.0), queued)
        if options.soak:
            result["soak"] = list(run_soak(server, bodies, peak, options.soak, report))
    return result


if __name__ == "__main__":
    main()
