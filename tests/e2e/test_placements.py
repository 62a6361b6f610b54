"""The placements with their processes: are the answers those of an embedded ensemble, and what if a runner dies?"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from frontdesk.masking import mask
from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.remote.placement import MEMBERS, TREES
from tests.support.command_line import invoke
from tests.support.serving import Server, frontdesk, home_with
from tests.support.sockets import assert_private, sockets_folder
from training.data.examples import Example

RESPAWN_TIMEOUT_S = 60.0
CALLERS = 6
PAUSE_S = 0.05
"""Between an answer and the next question of the same caller: the load is light."""
DEADLINE_MS = 4000


@pytest.fixture(scope="module")
def texts(starter_examples: tuple[Example, ...]) -> list[str]:
    return [example.text for example in starter_examples[::70]][:20]


@pytest.fixture(scope="module")
def expected(encoder_bundle: Bundle, texts: list[str]) -> list[dict[str, Any]]:
    """What an embedded ensemble in this process says of each text alone."""
    ensemble = Ensemble.load(encoder_bundle)
    return [asdict(ensemble.understand([mask(text).text])[0]) for text in texts]


@pytest.fixture(scope="module")
def dedicated(encoder_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = home_with(encoder_bundle, tmp_path_factory.mktemp("dedicated") / "home")
    with Server(home, model__placement="dedicated") as running:
        yield running


def services(server: Server) -> dict[str, psutil.Process]:
    """The runner processes, by the name of their service."""
    results = {}
    for process in server.processes():
        arguments = process.cmdline()
        if "--service-name" in arguments and (name := arguments[arguments.index("--service-name") + 1]) != "frontdesk":
            results[name] = process
    return results


def assert_understood(server: Server, texts: list[str], expected: list[dict[str, Any]]) -> None:
    """Alone and together, every answer is the expected one to its last digit."""
    with server.client() as client:
        alone = [client.post("/v1/understand", json={"text": text, "store": False}).json() for text in texts]
        queries = [{"text": text, "store": False} for text in texts]
        together = client.post("/v1/understand/batch", json={"queries": queries}).json()["results"]
    for answers in (alone, together):
        for answer, required in zip(answers, expected, strict=True):
            assert answer["intent"] == {**required["intent"], "candidates": list(required["intent"]["candidates"])}
            assert answer["sentiment"] == required["sentiment"]
            assert answer["uncertainty"] == required["uncertainty"]
            assert answer["members"] == list(required["members"])


def asked_without(server: Server, service: str) -> httpx2.Response:
    """What an API worker says that has found out that a service is gone: the second answer since it is."""
    gone = time.monotonic() + RESPAWN_TIMEOUT_S
    while service in services(server):
        assert time.monotonic() < gone
        time.sleep(0.02)
    with server.client() as client:
        for _ in range(2):
            answer = client.post(
                "/v1/understand",
                json={"text": "Where is my parcel?", "store": False},
                headers={"cache-control": "no-cache"},
            )
    return answer


def test_dedicated_answers_like_embedded_with_the_encoders_in_one_process(
    dedicated: Server, texts: list[str], expected: list[dict[str, Any]]
) -> None:
    assert set(services(dedicated)) == {"encoders"}
    assert_understood(dedicated, texts, expected)


def test_the_services_of_a_placement_have_no_tcp_port(dedicated: Server) -> None:
    assert dedicated.tcp_ports() == {dedicated.port, dedicated.grpc_port}
    assert_private(sockets_folder(dedicated))


def test_distributed_answers_like_embedded_with_a_process_for_each_part(
    encoder_bundle: Bundle, tmp_path: Path, texts: list[str], expected: list[dict[str, Any]]
) -> None:
    with Server(home_with(encoder_bundle, tmp_path / "home"), model__placement="distributed", workers=1) as server:
        assert set(services(server)) == {"distilbert", "roberta", "trees", "meta_learner"}
        assert_understood(server, texts, expected)

        services(server)["distilbert"].kill()
        assert asked_without(server, "distilbert").json()["skipped"] == ["distilbert"]
        services(server)["trees"].kill()
        refused = asked_without(server, "trees")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:frontdesk:overloaded")
        assert refused.headers["retry-after"].isdecimal()


def test_a_bundle_without_encoders_is_refused_by_the_master(home: Path) -> None:
    ended = frontdesk(home, "serve", model__placement="distributed")

    assert ended.returncode == 1
    assert "model.placement is 'distributed', but bundle" in ended.stderr
    assert "FRONTDESK_MODEL__PLACEMENT=embedded" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_command_line_needs_no_runner(home: Path) -> None:
    request = invoke(home, "ask", "Where is my parcel?", model__placement="dedicated")

    assert request.returncode == 0, request.stderr


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: when it came, in seconds since the load began, how long it took, and what it said."""

    at: float
    took: float
    status: int
    retry_after: str
    body: dict[str, Any]

    @property
    def skipped(self) -> list[str]:
        results: list[str] = self.body.get("skipped", [])
        return results

    @property
    def is_whole(self) -> bool:
        return self.status == 200 and not self.skipped


@dataclass
class Load:
    """Callers who ask the models again and again until they are stopped."""

    server: Server
    seen: list[Seen] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Load:
        self._began = time.monotonic()
        self._callers = [threading.Thread(target=self._ask) for _ in range(CALLERS)]
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for caller in self._callers:
            caller.join()

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def whole_since(self, moment: float) -> list[Seen]:
        """Answers of all members to what was asked after `moment`."""
        return [answer for answer in list(self.seen) if answer.is_whole and answer.at - answer.took > moment]

    def _ask(self) -> None:
        with self.server.client() as client:
            while not self.stopping.wait(PAUSE_S):
                started = time.monotonic()
                response = client.post(
                    "/v1/understand",
                    json={"text": "Where is my parcel?", "store": False},
                    headers={"x-request-deadline-ms": str(DEADLINE_MS), "cache-control": "no-cache"},
                )
                took = time.monotonic() - started
                retry_after = response.headers.get("retry-after", "")
                self.seen.append(Seen(self.elapsed_s(), took, response.status_code, retry_after, response.json()))


@dataclass(frozen=True, slots=True)
class Outage:
    """The encoders killed under load: what callers and probes saw until all members answered again."""

    workers: dict[str, int]
    victim: psutil.Process
    seen: list[Seen]
    killed: float
    livez: dict[str, Any]
    readyz: httpx2.Response

    @property
    def back(self) -> float:
        """When the first answer of all members came again, in seconds since the load began."""
        return min(answer.at for answer in self.seen if answer.is_whole and answer.at - answer.took > self.killed + 1.0)


@pytest.fixture(scope="module")
def outage(dedicated: Server) -> Outage:
    workers = dedicated.workers()
    victim = services(dedicated)["encoders"]
    with Load(dedicated) as load:
        while len(load.whole_since(0)) < 5 * CALLERS:
            time.sleep(0.05)
        victim.kill()
        killed = load.elapsed_s()
        livez = told_with(dedicated, "/livez", 503)
        readyz = httpx2.get(f"{dedicated.url}/readyz", timeout=5.0)
        while len(load.whole_since(killed + 1.0)) < 5 * CALLERS:
            assert load.elapsed_s() < killed + RESPAWN_TIMEOUT_S, "the encoders did not come back"
            time.sleep(0.1)
    return Outage(workers, victim, load.seen, killed, livez, readyz)


def test_while_the_encoders_are_dead_the_rest_answers_and_then_all_is_well(
    dedicated: Server, outage: Outage, texts: list[str], expected: list[dict[str, Any]]
) -> None:
    observed, killed = outage.seen, outage.killed
    refused = [answer for answer in observed if answer.status == 503]
    degraded = [answer for answer in observed if answer.skipped]
    assert {answer.status for answer in observed} <= {200, 503}
    assert len(refused) <= CALLERS, "only what was in flight is refused"
    assert all(answer.retry_after.isdecimal() and killed <= answer.at < killed + 1.0 for answer in refused)
    assert {tuple(answer.skipped) for answer in degraded} == {("encoders",)}
    assert all(killed <= answer.at for answer in degraded)
    assert all(answer.body["decision"]["action"] != "automate" for answer in degraded)
    assert {opinion["name"] for answer in degraded for opinion in answer.body["members"]} == set(MEMBERS[TREES])
    assert max(answer.took for answer in observed) < DEADLINE_MS / 1000
    assert len(degraded) > CALLERS * (outage.back - killed) / 4, "the callers were kept waiting"
    assert dedicated.workers() == outage.workers
    assert services(dedicated)["encoders"].pid != outage.victim.pid
    assert_understood(dedicated, texts, expected)


def test_health_names_the_encoders_while_they_are_dead_and_no_longer_than_that(
    dedicated: Server, outage: Outage
) -> None:
    assert outage.livez == {"status": "a worker is dead", "dead_workers": ["encoders"]}
    readyz = outage.readyz
    assert (readyz.status_code, readyz.json()["degraded"]) == (200, ["encoders"]), "messages are answered meanwhile"
    assert told_with(dedicated, "/livez", 200)["dead_workers"] == []
    assert httpx2.get(f"{dedicated.url}/readyz", timeout=5.0).json()["degraded"] == []


def told_with(server: Server, path: str, status: int) -> dict[str, Any]:
    """What `path` says once it answers with `status`."""
    give_up = time.monotonic() + RESPAWN_TIMEOUT_S
    while (response := httpx2.get(f"{server.url}{path}", timeout=5.0)).status_code != status:
        assert time.monotonic() < give_up, f"{path} still answers {response.status_code}: {response.text}"
        time.sleep(0.05)
    message: dict[str, Any] = response.json()
    return message


def test_what_is_under_way_when_the_server_is_told_to_stop_is_answered(dedicated: Server) -> None:
    """Both kinds of process are told at the same moment, and the API workers still need the encoders.

    The last test of this file: it ends the server that the others share.
    """
    statuses: list[int] = []

    def ask() -> None:
        queries = [{"text": "Where is my parcel? " * 40, "store": False}] * 256
        with dedicated.client() as client:
            statuses.extend(
                result.get("status", 200)
                for result in client.post("/v1/understand/batch", json={"queries": queries}).json()["results"]
            )

    callers = [threading.Thread(target=ask) for _ in range(2)]
    for caller in callers:
        caller.start()
    time.sleep(0.3)
    dedicated.terminate()
    for caller in callers:
        caller.join()
    dedicated.process.wait(20)

    assert statuses == [200] * 512
