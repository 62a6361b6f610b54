"""How a server begins and ends, how the command line meets it, and what it refuses to start with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import psutil
import pytest

from frontdesk.config import SecuritySettings, load_settings
from frontdesk.security.tokens import verify_token
from model_store.bundle import Bundle
from model_store.promotion import champion_path
from tests.support.command_line import invoke
from tests.support.damaged_homes import changed_byte, no_champion, world_readable_key
from tests.support.keyrings import read_keyring
from tests.support.serving import EXIT_TIMEOUT_S, Server, free_port, frontdesk

TEXT = "Where is my parcel? It should have come on Monday."
IN_FLIGHT = 50


class TestStopping:
    async def test_nothing_that_was_acknowledged_is_lost_when_the_server_stops(self, home: Path) -> None:
        acknowledged: list[str] = []
        others: list[int | str] = []
        terminated = asyncio.Event()

        async def ask(client: httpx2.AsyncClient) -> None:
            """Ask again and again, so that a request is under way at any moment, until the server takes no more."""
            while True:
                try:
                    response = await client.post("/v1/queries", json={"text": TEXT})
                except httpx2.HTTPError as error:
                    others.append(type(error).__name__)
                    if terminated.is_set():
                        return
                    raise
                if response.status_code == 200:
                    acknowledged.append(response.json()["query_id"])
                else:
                    others.append(response.status_code)

        with Server(home) as server:
            headers = {"authorization": f"Bearer {server.token()}"}
            limits = httpx2.Limits(max_connections=IN_FLIGHT)
            async with httpx2.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=20.0) as client:
                asking = [asyncio.create_task(ask(client)) for _ in range(IN_FLIGHT)]
                while len(acknowledged) < 2 * IN_FLIGHT:
                    await asyncio.sleep(0.01)
                before = len(acknowledged)
                terminated.set()
                server.terminate()
                started = time.monotonic()
                await asyncio.wait_for(asyncio.gather(*asking), EXIT_TIMEOUT_S)
            code = await asyncio.to_thread(server.process.wait, EXIT_TIMEOUT_S)
            took = time.monotonic() - started

            stored = {row["id"] for row in server.rows()}
            assert len(acknowledged) == len(set(acknowledged))
            assert set(acknowledged) <= stored
            assert len(acknowledged) > before
            assert {status for status in others if isinstance(status, int)} <= {503}
            assert code == 0
            assert took < load_settings().server.shutdown_grace_s
            assert server.processes() == []
            assert server.workers() == {}
            assert not [*(home / "run").glob("*/pinned.json")]
            assert '"event": "failure"' not in server.log()

    def test_a_request_that_never_ends_does_not_hold_the_server_for_longer_than_its_grace(self, home: Path) -> None:
        with Server(home, workers=1, server__shutdown_grace_s=2) as server:
            head = f"POST /v1/queries HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token()}\r\n"
            with httpx2.Client() as client, _half_open(server.port, f"{head}content-length: 10\r\n"):
                client.get(f"{server.url}/livez")
                started = time.monotonic()
                server.terminate()

                server.process.wait(EXIT_TIMEOUT_S)
                assert time.monotonic() - started < 10.0
            assert server.processes() == []


def _half_open(port: int, head: str) -> socket.socket:
    """A connection over which a body has begun and never ends."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(f"{head}content-type: application/json\r\n\r\n{{".encode())
    return connection


def test_a_killed_worker_is_named_by_the_others_and_replaced(home: Path) -> None:
    """And the server that it leaves, idle now, stops at once and leaves nothing behind."""
    with Server(home) as server:
        (name, pid), (_, survivor) = server.workers().items()
        os.kill(pid, signal.SIGKILL)

        message = _alive(server, lambda response: response.status_code == 503, within_s=10.0)
        assert message.json() == {"status": "a worker is dead", "dead_workers": [name]}
        assert psutil.pid_exists(survivor)
        with server.client() as client:
            assert client.post("/v1/understand", json={"text": TEXT}).status_code == 200

        assert _alive(server, lambda response: response.status_code == 200, within_s=30.0).json()["dead_workers"] == []
        assert server.workers()[name] != pid

        server.terminate()
        assert server.process.wait(5.0) == 0
        assert server.processes() == []
        assert server.workers() == {}
        assert "Traceback" not in server.log()


def _alive(server: Server, wanted: Callable[[httpx2.Response], bool], *, within_s: float) -> httpx2.Response:
    """The first answer of /livez that is wanted, each on a connection of its own."""
    give_up = time.monotonic() + within_s
    last = None
    while time.monotonic() < give_up:
        with suppress(httpx2.HTTPError):
            last = httpx2.get(f"{server.url}/livez", timeout=2.0)
            if wanted(last):
                return last
        time.sleep(0.1)
    pytest.fail(f"not within {within_s} s; last: {last and (last.status_code, last.text)}\n{server.log()[-3000:]}")


class TestRefusingToStart:
    """One line and an exit code; tests/integration/test_refusals.py has every reason."""

    @pytest.mark.parametrize("damage", [no_champion, changed_byte, world_readable_key])
    def test_a_damaged_home_is_refused_by_name(self, home: Path, damage: Callable[[Path], str]) -> None:
        named = damage(home)

        _assert_refused(_serve(home, server__port=free_port()), named)

    @pytest.mark.parametrize(
        ("settings", "named"),
        [
            ({"server__prot": 1}, "server.prot"),
            ({"server__workers": "many"}, "server.workers"),
            ({"nonsense__key": 1}, "FRONTDESK_NONSENSE__KEY"),
            ({"storage__url": "mysql://user:secret-word@host/db"}, "storage.url"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_wrong_setting_is_refused_by_name(self, home: Path, settings: dict[str, object], named: str) -> None:
        refused = _serve(home, **{"server__port": free_port(), **settings})

        _assert_refused(refused, named)
        assert "secret-word" not in refused.stderr

    def test_a_port_in_use_is_refused_before_a_model_is_trained(self, tmp_path: Path, server: Server) -> None:
        refused = frontdesk(tmp_path, "serve", "--train-if-needed", timeout_s=40.0, server__port=server.port)

        _assert_refused(refused, str(server.port))
        assert "training" not in refused.stderr

    def test_a_port_that_is_taken_is_refused(self, home: Path, server: Server) -> None:
        _assert_refused(_serve(home, server__port=server.port), str(server.port))

    def test_a_port_of_the_server_of_this_home_is_refused_with_its_process_id(self, server: Server) -> None:
        (master,) = psutil.Process(server.process.pid).children()
        refused = _serve_second(server)
        _assert_refused(refused, f"A server of this home runs already (process {master.pid})")
        assert f"kill {master.pid}" in refused.stderr


def _serve(home: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """A start that must end by itself; a good one takes four seconds and never ends."""
    return frontdesk(home, "serve", timeout_s=40.0, **settings)


def _serve_second(server: Server) -> subprocess.CompletedProcess[str]:
    return frontdesk(server.home, "serve", timeout_s=12.0, server__port=server.port)


def _assert_refused(done: subprocess.CompletedProcess[str], named: str) -> None:
    """Not started, and told in one clear line (a hint may follow it)."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert lines[0].startswith("error ")
    assert named in lines[0]
    assert len(lines) <= 2


class TestCommandLine:
    def test_ask_is_answered_by_the_running_server(self, server: Server) -> None:
        request = frontdesk(server.home, "ask", TEXT, "--json", server__port=server.port)
        answer = json.loads(request.stdout)

        assert request.returncode == 0
        (stored,) = server.rows("SELECT tenant, query_text FROM queries WHERE id = ?", answer["query_id"])
        assert stored == {"tenant": "default", "query_text": TEXT}
        assert '"subject": "frontdesk ask"' in server.log()

    def test_ask_reads_a_message_from_each_line(self, server: Server) -> None:
        request = invoke(
            server.home, "ask", "--json", stdin=f"{TEXT}\n\nI want my money back!\n", server__port=server.port
        )
        ids = [json.loads(line)["query_id"] for line in request.stdout.splitlines()]
        stored = {row["id"]: row["query_text"] for row in server.rows("SELECT id, query_text FROM queries")}

        assert request.returncode == 0
        assert [stored[query_id] for query_id in ids] == [TEXT, "I want my money back!"]

    def test_ask_shows_reply_decision_and_why(self, server: Server) -> None:
        output = invoke(server.home, "ask", TEXT, server__port=server.port)

        assert output.returncode == 0
        for word in ("reply", "decision", "intent", "sentiment", "priority", "uncertainty"):
            assert word in output.stdout

    @pytest.mark.parametrize("text", ["", "   "])
    def test_ask_refuses_a_message_of_nothing(self, server: Server, text: str) -> None:
        before = server.count("default")
        request = invoke(server.home, "ask", text, server__port=server.port)

        assert (request.returncode, request.stdout) == (1, "")
        assert request.stderr.startswith("refused text ")
        assert server.count("default") == before

    def test_ask_works_without_a_server(self, home: Path) -> None:
        request = invoke(home, "ask", "--json", "--local", stdin=f"{TEXT}\n \n{TEXT * 100}\n{TEXT}\n")
        first, refused, last = (json.loads(line) for line in request.stdout.splitlines())

        assert request.returncode == 1
        assert refused["error"]["type"] == "urn:frontdesk:invalid-query"
        assert first["query_id"] != last["query_id"]
        assert {first["stored"], last["stored"]} == {"committed"}
        assert first["intent"] == last["intent"]

    def test_ask_falls_back_to_the_champion_where_no_server_runs(self, home: Path) -> None:
        request = frontdesk(home, "ask", TEXT, "--json", "--no-store", server__port=1)
        answer = json.loads(request.stdout)

        assert request.returncode == 0
        assert (answer["stored"], answer["model_version"]) == ("no", champion_path(home / "bundles").name)

    def test_ask_answers_with_and_without_a_server_alike(self, server: Server) -> None:
        options = ("ask", TEXT, "--json", "--no-store")
        remote = json.loads(invoke(server.home, *options, server__port=server.port).stdout)
        local = json.loads(invoke(server.home, *options, "--local").stdout)

        varying = ("query_id", "timings_ms")
        assert {k: v for k, v in remote.items() if k not in varying} == {
            k: v for k, v in local.items() if k not in varying
        }

    def test_doctor_finds_a_good_home_good(self, home: Path) -> None:
        examined = invoke(home, "doctor", "--json")

        assert examined.returncode == 0
        assert {finding["state"] for finding in json.loads(examined.stdout)} <= {"good", "warning"}
        assert frontdesk(home, "doctor").returncode == 0

    def test_doctor_names_what_is_damaged(self, home: Path) -> None:
        named = changed_byte(home)
        examined = invoke(home, "doctor", "--json")
        (bad,) = (finding for finding in json.loads(examined.stdout) if finding["state"] == "bad")

        assert examined.returncode == 1
        assert bad["what"] == "champion"
        assert named in bad["told"]

    def test_config_shows_what_is_in_force(self, home: Path) -> None:
        output = invoke(home, "config", "show", "--json", server__port=3456, storage__url="sqlite:////tmp/x.db")
        settings = json.loads(output.stdout)

        assert output.returncode == 0
        assert (settings["home"], settings["server"]["port"]) == (str(home), 3456)
        assert settings["storage"]["url"] == "(set)"

    def test_models_marks_the_champion(self, home: Path, tiny_bundle: Bundle) -> None:
        listed = invoke(home, "models", "--json")

        assert listed.returncode == 0
        assert [(row["version"], row["champion"]) for row in json.loads(listed.stdout)] == [(tiny_bundle.version, True)]
        assert tiny_bundle.version in invoke(home, "models").stdout

    def test_a_token_is_made_that_the_server_accepts(self, server: Server) -> None:
        created = invoke(server.home, "token", "--tenant", "shop", "--scope", "understand")
        caller = verify_token(created.stdout.strip(), read_keyring(server.home / "keys"), SecuritySettings()).caller

        assert created.returncode == 0
        assert (caller.tenant, caller.scopes) == ("shop", {"understand"})
        response = httpx2.post(
            f"{server.url}/v1/understand",
            json={"text": TEXT, "store": False},
            headers={"authorization": f"Bearer {created.stdout.strip()}"},
        )
        assert response.status_code == 200

    def test_a_scope_that_does_not_exist_is_refused(self, home: Path) -> None:
        _assert_refused(invoke(home, "token", "--scope", "everything"), "everything")


class TestKilledOutright:
    """After SIGKILL of a parent process no process remains that holds the ports or serves unsupervised."""

    @pytest.mark.parametrize("killed", ["the command", "the master"])
    def test_the_processes_below_a_killed_one_stop(self, home: Path, killed: str) -> None:
        with Server(home, workers=1) as server:
            (master,) = psutil.Process(server.process.pid).children()
            below = [process for process in server.processes() if process.pid != server.process.pid]
            assert len(below) >= 2
            os.kill(server.process.pid if killed == "the command" else master.pid, signal.SIGKILL)

            _, alive = psutil.wait_procs(below, timeout=15.0)
            assert alive == []
            assert _is_free(server.port)
            assert _is_free(server.grpc_port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
