"""`frontdesk ask` with another program on its port: it reports that, sends no token, and answers locally."""

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

from cli.local_server import PortOwner, identify_port_owner, server_url
from cli.serve import _wait_until_ready
from frontdesk.config import load_settings
from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, load_server_identity, new_challenge
from tests.support.command_line import invoke
from tests.support.serving import Server, environment

TEXT = "Where is my parcel? It should have come on Monday."


class Recording(ThreadingHTTPServer):
    """Another program on the port; `requests` are the request lines and headers that it received."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, handler)
        self.requests: list[str] = []


class Alive(BaseHTTPRequestHandler):
    """Answers every request with 200 and a body without end."""

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
    return invoke(home, "ask", TEXT, "--json", "--no-store", server__port=port)


def assert_answered_here(result: subprocess.CompletedProcess[str], port: int, program: str) -> None:
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["intent"]["label"]
    assert f"http://127.0.0.1:{port} is used by {program}: the champion runs in this process instead." in result.stderr


def test_another_program_on_the_port_receives_neither_token_nor_text(home: Path) -> None:
    with running(Alive) as program:
        port = program.server_address[1]
        assert_answered_here(ask(home, port), port, "another program, or an older Frontdesk")
        (request,) = program.requests
    assert request.startswith("GET /livez")
    assert "authorization" not in request.lower()
    assert TEXT not in request


def test_a_frontdesk_of_another_home_receives_no_request(home: Path, server: Server) -> None:
    before = server.count("default")
    assert_answered_here(ask(home, server.port), server.port, "a Frontdesk server of another home")
    assert server.count("default") == before


def relay_to(server: Server) -> type[Alive]:
    """A program that passes the challenge on to the server of the home and returns its proof."""

    class Relay(Alive):
        def proof(self) -> dict[str, str]:
            response = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: self.headers[CHALLENGE_HEADER]})
            return {PROOF_HEADER: response.headers[PROOF_HEADER]}

    return Relay


def test_a_relay_of_the_challenge_on_another_port_is_detected(server: Server) -> None:
    """The proof is bound to the port."""
    with running(relay_to(server)) as program:
        port = program.server_address[1]
        assert_answered_here(ask(server.home, port), port, "a Frontdesk server of another home")
        assert "authorization" not in "".join(program.requests).lower()


def test_a_relay_of_the_challenge_on_another_address_with_the_same_port_is_detected(server: Server) -> None:
    """The proof is bound to the address on which the server accepted the connection."""
    with running(relay_to(server), ("127.0.0.2", server.port)) as program:
        settings = load_settings(
            environment=environment(server.home, server__host="127.0.0.2", server__port=server.port)
        )
        with httpx2.Client(base_url=server_url(settings)) as client:
            assert identify_port_owner(client, settings) is PortOwner.ANOTHER_HOME
        assert len(program.requests) == 1


def test_serve_does_not_mistake_another_program_on_its_port_for_the_server(server: Server) -> None:
    with running(Alive) as program, subprocess.Popen(["sleep", "1.5"]) as starting:
        port = program.server_address[1]
        settings = load_settings(environment=environment(server.home, server__port=port))
        assert not _wait_until_ready(settings, starting)
    assert program.requests


@pytest.mark.parametrize("challenge", ["", "x", "0" * 63, "0" * 65, "G" * 64, "0" * 5000])
def test_only_a_challenge_of_the_right_form_is_answered(server: Server, challenge: str) -> None:
    response = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: challenge})
    assert response.status_code == 200
    assert PROOF_HEADER not in response.headers


def test_the_server_of_this_home_proves_itself(server: Server) -> None:
    challenge = new_challenge()
    proof = httpx2.get(f"{server.url}/livez", headers={CHALLENGE_HEADER: challenge}).headers[PROOF_HEADER]
    identity = load_server_identity(server.home / "keys")
    assert identity.is_proof(proof, challenge, server.port)
    assert not identity.is_proof(proof, challenge, server.port + 1)
    assert not identity.is_proof(proof, new_challenge(), server.port)
