"""Rounds to figures, on rounds whose answer is known."""

from __future__ import annotations

from benchmarks.peers.harness import Measured
from benchmarks.peers.summary import summarise


def measured(peer: str, turn: int, per_s: float, errors: int = 0, concurrency: int = 8) -> Measured:
    return Measured(peer, turn, concurrency, per_s, 1.0, 2.0, errors, 3.0, 100.0, 0.1)


def test_the_ratio_is_formed_within_a_round_whatever_the_order_of_the_servers() -> None:
    rounds = [
        measured("frontdesk", 0, 100.0), measured("mosec", 0, 50.0),
        measured("mosec", 1, 20.0), measured("frontdesk", 1, 80.0),
        measured("mosec", 2, 30.0), measured("frontdesk", 2, 90.0),
    ]  # fmt: skip

    ours, theirs = summarise(rounds)

    assert theirs.frontdesk is not None
    assert (theirs.frontdesk.least, theirs.frontdesk.median, theirs.frontdesk.most) == (2.0, 3.0, 4.0)
    assert ours.frontdesk is not None
    assert ours.frontdesk.median == 1.0


def test_errors_add_up_and_figures_are_medians() -> None:
    (row,) = summarise([measured("mosec", turn, per_s, errors=turn) for turn, per_s in enumerate((10.0, 40.0, 20.0))])

    assert (row.per_s.least, row.per_s.median, row.per_s.most) == (10.0, 20.0, 40.0)
    assert row.errors == 3
    assert row.frontdesk is None


def test_rows_come_by_concurrency_and_then_by_throughput() -> None:
    rows = summarise(
        [measured("a", 0, 1.0, concurrency=64), measured("b", 0, 2.0, concurrency=64), measured("a", 0, 9.0)]
    )

    assert [(row.peer, row.concurrency) for row in rows] == [("a", 8), ("b", 64), ("a", 64)]


def test_a_server_that_answered_nothing_has_no_ratio() -> None:
    rows = summarise([measured("frontdesk", 0, 100.0), measured("mosec", 0, 0.0, errors=64)])

    assert rows[-1].frontdesk is None
