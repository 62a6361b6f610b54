"""Pieces of random bytes: never the same twice, over threads and forks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from frontdesk.randomness import RandomBytesPool

SIZE = 12


def test_no_piece_is_handed_out_twice() -> None:
    pieces = RandomBytesPool(SIZE)
    drawn = [pieces.next_bytes() for _ in range(1000)]
    assert {len(piece) for piece in drawn} == {SIZE}
    assert len(set(drawn)) == len(drawn)


def test_threads_share_without_getting_the_same_piece() -> None:
    pieces = RandomBytesPool(SIZE)
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: pieces.next_bytes(), range(20_000)))
    assert len(set(drawn)) == len(drawn)


def test_a_forked_child_does_not_repeat_its_parent() -> None:
    pieces = RandomBytesPool(SIZE)
    pieces.next_bytes()  # a block is drawn, most of it is left
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_send, args=(pieces, there))
    child.start()
    theirs = here.recv()
    child.join()
    assert not set(theirs) & {pieces.next_bytes() for _ in range(400)}


def _send(pieces: RandomBytesPool, there: Connection) -> None:
    there.send([pieces.next_bytes() for _ in range(400)])
