"""Selection of servers, the check of their answers, and the summary of rounds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.peers.harness import (
    FRONTDESK,
    PEERS,
    LevelResult,
    Peer,
    check_answers,
    rotate_peers,
    select_peers,
    summarize_levels,
)
from benchmarks.results import RoundStats

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
def parrot() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(port=server.server_port, token="")
    server.shutdown()
    server.server_close()


def test_answers_equal_to_the_ensemble_pass(parrot: Any) -> None:
    check_answers(PEER, parrot, [("where is my money", "get_refund", 0.9004)])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("a", "track_order", 0.9), "get_refund 0.9 instead of track_order 0.9"),
        (("a", "get_refund", 0.902), "get_refund 0.9 instead of get_refund 0.902"),
        (("fail", "get_refund", 0.9), "500"),
    ],
)
def test_another_intent_another_confidence_or_an_error_fails(
    parrot: Any, row: tuple[str, str, float], problem: str
) -> None:
    with pytest.raises(RuntimeError, match=f"parrot answers 1 of 2 texts wrongly: {problem}"):
        check_answers(PEER, parrot, [("b", "get_refund", 0.9), row])


def test_all_take_part_unless_some_are_named() -> None:
    assert select_peers(None) == PEERS
    assert [peer.name for peer in select_peers("mosec,frontdesk")] == [FRONTDESK, "mosec"]


def test_an_unknown_name_is_refused_with_the_list_of_names() -> None:
    with pytest.raises(ValueError, match=r"no peer torchserve; there are: frontdesk, .*mosec"):
        select_peers("mosec,torchserve")


def test_over_as_many_rounds_as_peers_each_peer_has_every_position_once() -> None:
    rounds = [rotate_peers(PEERS, turn) for turn in range(len(PEERS))]

    for place in range(len(PEERS)):
        assert {order[place].name for order in rounds} == {peer.name for peer in PEERS}


def test_the_port_is_put_into_the_command_of_every_peer_that_has_one() -> None:
    for peer in PEERS:
        if peer.name != FRONTDESK:
            assert "4711" in peer.command_on(4711)


def measured(peer: str, turn: int, per_s: float, errors: int = 0, concurrency: int = 8) -> LevelResult:
    return LevelResult(peer, turn, concurrency, per_s, 1.0, 2.0, errors, 3.0, 100.0, 0.1)


def test_the_ratio_is_computed_within_a_round_for_any_order_of_the_servers() -> None:
    rounds = [
        measured("frontdesk", 0, 100.0), measured("mosec", 0, 50.0),
        measured("mosec", 1, 20.0), measured("frontdesk", 1, 80.0),
        measured("mosec", 2, 30.0), measured("frontdesk", 2, 90.0),
    ]  # fmt: skip

    ours, theirs = summarize_levels(rounds)

    assert theirs["frontdesk"] == RoundStats(median=3.0, least=2.0, most=4.0)
    assert ours["frontdesk"].median == 1.0


def test_errors_add_up_and_other_values_are_medians() -> None:
    (row,) = summarize_levels(
        [measured("mosec", turn, per_s, errors=turn) for turn, per_s in enumerate((10.0, 40.0, 20.0))]
    )

    assert row["per_s"] == RoundStats(median=20.0, least=10.0, most=40.0)
    assert row["errors"] == 3
    assert row["frontdesk"] is None


def test_rows_come_by_concurrency_and_then_by_throughput() -> None:
    rows = summarize_levels(
        [measured("a", 0, 1.0, concurrency=64), measured("b", 0, 2.0, concurrency=64), measured("a", 0, 9.0)]
    )

    assert [(row["peer"], row["concurrency"]) for row in rows] == [("a", 8), ("b", 64), ("a", 64)]


def test_a_server_that_answered_nothing_has_no_ratio() -> None:
    rows = summarize_levels([measured("frontdesk", 0, 100.0), measured("mosec", 0, 0.0, errors=64)])

    assert rows[-1]["frontdesk"] is None
