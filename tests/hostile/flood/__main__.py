"""The long form of the flood tests: `python -m tests.hostile.flood [SECONDS [CONNECTIONS [ATTACK ...]]]`.

Runs every attack from one address and from 50 addresses of 127.0.0.0/8, each against its own server, by default for
60 s with 1,000 connections. Prints a row for each; exit code 1 if an outcome exceeds the limits of `limits.py`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.hostile.flood.attacks import ATTACKS
from tests.hostile.flood.limits import find_exceeded_limits
from tests.hostile.flood.measure import HEADER, Outcome, measure, ordinary
from tests.support.bundle_cache import cached_bundle
from tests.support.serving import Server, home_with

GRACE_S = 10
ADDRESSES = (1, 50)
BEFORE_S = 15.0


def main(seconds: float, connections: int, attacks: list[str]) -> int:
    """Run the attacks; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-flood-") as folder:
        bundle = cached_bundle()
    failed = 0
    print(HEADER, flush=True)
    for attack in attacks:
        for addresses in ADDRESSES:
            with tempfile.TemporaryDirectory(prefix="frontdesk-flood-") as folder:
                home = home_with(bundle, Path(folder) / "home")
                with Server(home, server__shutdown_grace_s=GRACE_S) as server:
                    outcome = asyncio.run(_attacked(server, attack, connections, addresses, seconds))
                print(outcome.row(), flush=True)
                lines = [*find_exceeded_limits(outcome, GRACE_S)]
                for line in (*lines, *outcome.during.failures[:3]):
                    print(f"    {line}", flush=True)
                failed += bool(lines)
    print(f"{failed} of {len(attacks) * len(ADDRESSES)} exceeded a limit")
    return 1 if failed else 0


async def _attacked(server: Server, attack: str, connections: int, addresses: int, seconds: float) -> Outcome:
    before = await ordinary(server, BEFORE_S)
    return await measure(server, attack, before, connections=connections, addresses=addresses, attack_s=seconds)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(
        main(
            float(arguments[0]) if arguments else 60.0,
            int(arguments[1]) if len(arguments) > 1 else 1000,
            arguments[2:] or list(ATTACKS),
        )
    )
