"""`frontdesk ask` where its port is answered by somebody else: it says so, sends no token, and answers by itself."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from cli.ask import Listener, look_for_server
from cli.serve import _wait_until_ready, base_of
from frontdesk.config import load
from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, new_challenge, server_identity
from tests.serving import Server, environment, frontdesk

TEXT = "Where is my parcel? It should have come on Monday."


class Recording(ThreadingHTTPServer):
    """Another program on the port; `requests` are the heads of what it was sent."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, handler)
        self.requests: list[str] = []


class Alive(BaseHTTPRequestHandler):
    """Says 200 to everything, as many programs do; its answer never ends."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Recording)
        self.server.requests.append(f"{self.requestline}\n{self.headers}")
        self.send_response(200)
        for name, value in self.proof().items():
            self.send_header(name, value)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - as http.server names it

    def proof(self) -> dict[str, str]:
        return {}

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(handler: type[BaseHTTPRequestHandler], address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[Recording]:
    with Recording(handler, address) as program:
        thread = threading.Thread(target=program.serve_forever)
        thread.start()
        try:
            yield program
        finally:
            program.shutdown()
            thread.join()


def ask(home: Path, port: int) -> subprocess.CompletedProcess[str]:
    return frontdesk(home, "ask", TEXT, "--json", "--no-store", server__port=port, timeout_s=60.0)


def assert_answered_here(asked: subprocess.CompletedProcess[str], port: int, said: str) -> None:
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["intent"]["label"]
    assert f"http://127.0.0.1:{port} is answered by {said}: the champion answers here instead." in asked.stderr


def test_another_program_on_the_port_is_told_nothing(home: Path) -> None:
    with running(Alive) as program:
        port = program.server_address[1]
        assert_answered_here(ask(home, port), port, "another program, or an older Frontdesk")
        (request,) = program.requests
    assert request.startswith("GET /livez")
    assert "authorization" not in request.lower()
    assert TEXT not in request


def test_a_frontdesk_of_another_home_is_told_nothing_either(home: Path, server: Server) -> None:
    before = server.count("default")
    assert_answered_here(ask(home, server.port), server.port, "a Frontdesk server of another home")
    assert server.count("default") == before


def test_a_program_that_passes_the_challenge_on_to_the_right_server_is_found_out(server: Server) -> None:
    """The proof is for the port that was asked."""

    class Relay(Alive):
        def proof(self) -> dict[str, str]:
            answer = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: self.headers[CHALLENGE_HEADER]})
            return {PROOF_HEADER: answer.headers[PROOF_HEADER]}

    with running(Relay) as program:
        port = program.server_address[1]
        assert_answered_here(ask(server.home, port), port, "a Frontdesk server of another home")
        assert "authorization" not in "".join(program.requests).lower()


def test_one_that_does_so_from_another_address_with_the_same_port_is_found_out_too(server: Server) -> None:
    """The proof is for the address on which the server took the connection."""

    class Relay(Alive):
        def proof(self) -> dict[str, str]:
            answer = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: self.headers[CHALLENGE_HEADER]})
            return {PROOF_HEADER: answer.headers[PROOF_HEADER]}

    with running(Relay, ("127.0.0.2", server.port)) as program:
        settings = load(environment=environment(server.home, server__host="127.0.0.2", server__port=server.port))
        with httpx2.Client(base_url=base_of(settings)) as client:
            assert look_for_server(client, settings) is Listener.ANOTHER_HOME
        assert len(program.requests) == 1


def test_serve_does_not_take_another_program_on_its_port_for_the_server(server: Server) -> None:
    with running(Alive) as program, subprocess.Popen(["sleep", "1.5"]) as starting:
        port = program.server_address[1]
        settings = load(environment=environment(server.home, server__port=port))
        assert not _wait_until_ready(settings, starting)
    assert program.requests


@pytest.mark.parametrize("challenge", ["", "x", "0" * 63, "0" * 65, "G" * 64, "0" * 5000])
def test_only_a_challenge_of_the_right_form_is_answered(server: Server, challenge: str) -> None:
    answer = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: challenge})
    assert answer.status_code == 200
    assert PROOF_HEADER not in answer.headers


def test_the_server_of_this_home_proves_itself(server: Server) -> None:
    challenge = new_challenge()
    proof = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: challenge}).headers[PROOF_HEADER]
    identity = server_identity(server.home / "keys")
    assert identity.is_proof(proof, challenge, server.port)
    assert not identity.is_proof(proof, challenge, server.port + 1)
    assert not identity.is_proof(proof, new_challenge(), server.port)
