"""The long forms: `make faults`, or python -m tests.faults [--short] [SCENARIO...].

Each scenario runs until at least ten thousand requests were acknowledged during its faults. The output is a log of the
run, then a table, then the same as one line of JSON. The exit code is 1 if a guarantee was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.results import machine
from tests.faults.outcome import Outcome, Resources, Scenario
from tests.faults.scenarios import SCENARIOS
from tests.support import postgresql, redis_server
from tests.support.bundle_cache import cached_bundle

_COUNTED = ("lost", "doubled", "phantom", "differing", "disordered")


@dataclasses.dataclass(frozen=True, slots=True)
class Played:
    """A scenario that was run. Without an `outcome` it was aborted, for the reason in `failures`."""

    name: str
    seconds: float
    outcome: Outcome | None
    failures: Sequence[str]


def main() -> int:
    names = [scenario.slug for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"out of {', '.join(names)}; default: all")
    parser.add_argument("--short", action="store_true", help="the short forms, as in make test")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenarios) - set(names):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    console = Console(width=150)
    selected = [scenario for scenario in SCENARIOS if scenario.slug in (arguments.scenarios or names)]
    with contextlib.ExitStack() as servers, tempfile.TemporaryDirectory(prefix="frontdesk-faults-") as folder:
        start_postgresql = cache(lambda: servers.enter_context(postgresql.running()))
        start_redis = cache(lambda: servers.enter_context(redis_server.running()))
        console.print("Preparing the bundle that is served ...")
        bundle = cached_bundle()
        played = []
        for number, scenario in enumerate(selected):
            if (reason := scenario.missing()) is not None:
                console.print(f"[yellow]{scenario.name}: not played: {reason}[/]")
                continue
            console.print(f"[bold]{scenario.name}[/]")
            log = lambda message: console.print(f"  {message}", highlight=False)  # noqa: E731
            resources = Resources(bundle, Path(folder) / f"scenario-{number}", start_postgresql, start_redis, log)
            resources.folder.mkdir()
            played.append(_play(scenario, resources, short=arguments.short))
    console.print(_table(played))
    for each in played:
        for complaint in each.failures:
            console.print(f"[red]{each.name}: {complaint}[/]", highlight=False)
    print(
        json.dumps(
            {
                "faults": [_figures(each) for each in played],
                "machine": {**machine(), "command": " ".join(("python -m tests.faults", *sys.argv[1:]))},
            }
        )
    )
    return int(any(each.failures for each in played))


def _play(scenario: Scenario, resources: Resources, *, short: bool) -> Played:
    begun = time.monotonic()
    try:
        outcome = scenario.run(resources, scenario.short if short else scenario.long)
    except AssertionError as error:  # the other scenarios still run
        return Played(scenario.name, time.monotonic() - begun, None, [f"broke off: {error}"])
    return Played(scenario.name, time.monotonic() - begun, outcome, outcome.failures())


def _table(played: Sequence[Played]) -> Table:
    table = Table(title="Acknowledged means kept", title_justify="left")
    table.add_column("scenario", no_wrap=True)
    for heading in ("acknowledged", "faults", *_COUNTED, "spooled", "sent again", "replays", "minutes", "promises"):
        table.add_column(heading, justify="right")
    for each in played:
        minutes = f"{each.seconds / 60:.1f}"
        if each.outcome is None:
            table.add_row(each.name, *["-"] * 10, minutes, "[red]broke off[/]")
            continue
        verdict = each.outcome.verdict
        counts = [len(getattr(verdict, name)) for name in _COUNTED]
        cells = [
            verdict.acknowledged,
            each.outcome.faults,
            *counts,
            verdict.spooled,
            verdict.redelivered,
            verdict.replays,
        ]
        table.add_row(each.name, *map(str, cells), minutes, "[red]broken[/]" if each.failures else "[green]kept[/]")
    return table


def _figures(each: Played) -> dict[str, object]:
    fields: dict[str, object] = {"scenario": each.name, "seconds": round(each.seconds, 1), "complaints": each.failures}
    if each.outcome is not None:
        verdict = each.outcome.verdict
        fields |= {name: len(getattr(verdict, name)) for name in _COUNTED}
        fields |= {
            name: getattr(verdict, name)
            for name in ("acknowledged", "unacknowledged", "spooled", "replays", "redelivered")
        }
        fields["faults"] = each.outcome.faults
        fields["promises"] = [dataclasses.asdict(limit) for limit in each.outcome.time_limits]
    return fields


if __name__ == "__main__":
    sys.exit(main())
