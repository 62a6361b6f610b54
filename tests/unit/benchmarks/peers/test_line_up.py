"""Who takes part, and in which order."""

from __future__ import annotations

import pytest

from benchmarks.peers.line_up import FRONTDESK, LINE_UP, chosen, in_turn


def test_all_take_part_unless_some_are_named() -> None:
    assert chosen(None) == LINE_UP
    assert [peer.name for peer in chosen("mosec,frontdesk")] == [FRONTDESK, "mosec"]


def test_a_name_that_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no peer torchserve; there are: frontdesk, .*mosec"):
        chosen("mosec,torchserve")


def test_over_as_many_rounds_as_peers_each_comes_once_in_every_place() -> None:
    rounds = [in_turn(LINE_UP, turn) for turn in range(len(LINE_UP))]

    for place in range(len(LINE_UP)):
        assert {order[place].name for order in rounds} == {peer.name for peer in LINE_UP}


def test_the_port_is_put_into_the_command_of_every_peer_that_has_one() -> None:
    for peer in LINE_UP:
        if peer.name != FRONTDESK:
            assert "4711" in peer.command_on(4711)
