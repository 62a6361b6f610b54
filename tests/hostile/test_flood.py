"""Attackers without a token that hold connections must not affect ordinary clients.

The short form: 100 connections for 3 s for each attack. `make hostile` runs the long one (tests/hostile/flood).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model_store.bundle import Bundle
from tests.hostile.flood.attacks import ATTACKS
from tests.hostile.flood.limits import STOP_MARGIN_S, find_exceeded_limits
from tests.hostile.flood.measure import ClientResults, Outcome, measure, ordinary
from tests.support.serving import Server, home_with

GRACE_S = 4
NOISE_MS = 500.0
"""Other tests run at the same time and samples are few; `make hostile` uses a stricter limit."""
ATTEMPTS = 4
CONNECTIONS = 100
ATTACK_S = 3.0
BEFORE_S = 2.0
MAX_CONNECTIONS = 80
"""Lower than the number of connections of an attack."""


@pytest.fixture
def attacked(tiny_bundle: Bundle, tmp_path: Path) -> Iterator[Server]:
    home = home_with(tiny_bundle, tmp_path / "home")
    settings = {"server__shutdown_grace_s": GRACE_S, "server__max_connections": MAX_CONNECTIONS}
    with Server(home, workers=1, **settings) as server:
        yield server


async def under(server: Server, attack: str, before: ClientResults, *, stop: bool = False) -> Outcome:
    return await measure(server, attack, before, connections=CONNECTIONS, addresses=3, attack_s=ATTACK_S, stop=stop)


async def test_ordinary_clients_are_served_during_every_attack_and_sigterm_ends_the_server(attacked: Server) -> None:
    """All attacks use one server, so each also shows that the previous one left nothing behind.

    Other tests run at the same time, so an attack that exceeds a limit is repeated after another measurement.
    """
    before = await ordinary(attacked, BEFORE_S)
    for attack in ATTACKS:
        for _ in range(ATTEMPTS):
            outcome = await under(attacked, attack, before)
            if not list(find_exceeded_limits(outcome, GRACE_S, NOISE_MS)):
                break
            before = await ordinary(attacked, BEFORE_S)
        assert not list(find_exceeded_limits(outcome, GRACE_S, NOISE_MS)), (outcome.row(), outcome.during.failures[:5])
    last = await under(attacked, [*ATTACKS][-1], before, stop=True)
    assert last.stop_s <= GRACE_S + STOP_MARGIN_S, last.row()
    assert '"event": "failure"' not in attacked.log()
