"""The check that every peer must pass, against a server that says what the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.peers.harness import check
from benchmarks.peers.line_up import Peer

PEER = Peer("parrot", "says one thing", "/understand")


class Parrot(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))["text"]
        body = json.dumps({"intent": {"label": "get_refund", "confidence": 0.9}}).encode()
        self.send_response(500 if text == "fail" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_answers_that_are_the_ensembles_pass(port: int) -> None:
    check(PEER, port, {}, [("where is my money", "get_refund", 0.9004)])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("a", "track_order", 0.9), "get_refund 0.9 instead of track_order 0.9"),
        (("a", "get_refund", 0.902), "get_refund 0.9 instead of get_refund 0.902"),
        (("fail", "get_refund", 0.9), "500"),
    ],
)
def test_another_intent_another_confidence_or_an_error_does_not(
    port: int, row: tuple[str, str, float], said: str
) -> None:
    with pytest.raises(RuntimeError, match=f"parrot answers 1 of 2 texts wrongly: {said}"):
        check(PEER, port, {}, [("b", "get_refund", 0.9), row])
