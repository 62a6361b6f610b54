"""At no moment do two workers answer with different versions: one server, one bundle, until it is started again.

Two bundles are trained with different seeds. While callers ask without a pause, the command line moves the pointer, and
a worker is killed: the one that BentoML starts in its place must serve what its server was started with, although the
pointer names another by then.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from model_store.bundle import Bundle, open_bundle
from model_store.promotion import champion_path
from tests.support.bundle_cache import cached_bundle
from tests.support.command_line import invoke
from tests.support.serving import Server

TEXT = "Where is my parcel? It should have come on Monday."
CALLERS = 4
RESPAWN_TIMEOUT_S = 40.0


@pytest.fixture
def home_of_two(home: Path) -> tuple[Path, Bundle]:
    """A home whose champion is the tiny bundle, and a second one beside it, trained with another seed."""
    second = cached_bundle("another-seed")
    copy = shutil.copytree(second.path, home / "bundles" / second.version)
    return home, open_bundle(Path(copy))


class Callers:
    """Threads that ask again and again, each time over a connection of its own, so that every worker gets some.

    `answered` holds (request id, model version) of every answer; what a killed worker leaves unanswered is none.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._headers = {"authorization": f"Bearer {server.token()}"}
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CALLERS)]
        self.answered: list[tuple[str, str]] = []
        self.refused: list[int] = []

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, answers: int = 60) -> None:
        expected = len(self.answered) + answers
        wait_until(lambda: len(self.answered) >= expected, 30.0, "the callers got no more answers")

    def _ask(self) -> None:
        url, body = f"{self._server.url}/v1/understand", {"text": TEXT, "store": False}
        while not self._stopped.is_set():
            with suppress(httpx2.HTTPError):
                response = httpx2.post(url, json=body, headers=self._headers, timeout=5.0)
                if response.status_code == 200:
                    self.answered.append((response.headers["x-request-id"], response.json()["model_version"]))
                else:
                    self.refused.append(response.status_code)


def wait_until(wanted: Callable[[], bool], within_s: float, otherwise: str) -> None:
    give_up = time.monotonic() + within_s
    while not wanted():
        if time.monotonic() > give_up:
            pytest.fail(f"{otherwise} within {within_s} s")
        time.sleep(0.1)


def workers_that_answered(server: Server, answered: list[tuple[str, str]]) -> Counter[int]:
    """How many of the answers each process gave, by the access log."""
    ids = {request_id for request_id, _ in answered}
    lines = (json.loads(line) for line in server.log().splitlines() if line.startswith('{"'))
    return Counter(line["pid"] for line in lines if line.get("request_id") in ids)


def models_told(server: Server) -> dict[str, object]:
    with server.client(scopes=["admin"]) as client:
        message: dict[str, object] = client.get("/v1/admin/models").json()
        return message


def done(home: Path, *arguments: str) -> None:
    run = invoke(home, *arguments)
    assert run.returncode == 0, run.stderr


@pytest.mark.timeout(400)
def test_workers_answer_with_one_version_while_the_pointer_moves_and_a_worker_dies(
    home_of_two: tuple[Path, Bundle], tiny_bundle: Bundle
) -> None:
    home, second = home_of_two
    first = tiny_bundle.version
    assert second.version != first

    with Server(home) as server, Callers(server) as callers:
        callers.wait_for_more()
        assert len(workers_that_answered(server, callers.answered)) == 2
        message = models_told(server)
        assert (message["serving"], message["champion"], message["restart_needed"]) == (first, first, False)

        done(home, "promote", second.version, "--force", "to see that nobody serves it yet")
        done(home, "rollback")
        done(home, "promote", second.version, "--force", "to see that nobody serves it yet")
        callers.wait_for_more()
        message = models_told(server)
        assert (message["serving"], message["champion"], message["restart_needed"]) == (first, second.version, True)

        name, killed = next(iter(server.workers().items()))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: server.workers().get(name, killed) != killed, RESPAWN_TIMEOUT_S, "no worker was respawned")
        respawned = server.workers()[name]
        wait_until(
            lambda: workers_that_answered(server, callers.answered)[respawned] >= 10,
            RESPAWN_TIMEOUT_S,
            "the respawned worker did not answer",
        )
        assert champion_path(home / "bundles").name == second.version
        assert {version for _, version in callers.answered} == {first}
        assert callers.refused == []

    with Server(home) as server, Callers(server) as callers:
        callers.wait_for_more()
        assert len(workers_that_answered(server, callers.answered)) == 2
        assert {version for _, version in callers.answered} == {second.version}
        assert models_told(server)["restart_needed"] is False
