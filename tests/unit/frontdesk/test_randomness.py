"""Pieces of random bytes: never the same twice, over threads and forks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from frontdesk.randomness import RandomPieces

SIZE = 12


def test_no_piece_is_handed_out_twice() -> None:
    pieces = RandomPieces(SIZE)
    drawn = [pieces.draw() for _ in range(1000)]
    assert {len(piece) for piece in drawn} == {SIZE}
    assert len(set(drawn)) == len(drawn)


def test_threads_share_without_getting_the_same_piece() -> None:
    pieces = RandomPieces(SIZE)
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: pieces.draw(), range(20_000)))
    assert len(set(drawn)) == len(drawn)


def test_a_forked_child_does_not_repeat_its_parent() -> None:
    pieces = RandomPieces(SIZE)
    pieces.draw()  # a block is drawn, most of it is left
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_send, args=(pieces, there))
    child.start()
    theirs = here.recv()
    child.join()
    assert not set(theirs) & {pieces.draw() for _ in range(400)}


def _send(pieces: RandomPieces, there: Connection) -> None:
    there.send([pieces.draw() for _ in range(400)])
