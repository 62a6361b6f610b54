"""Random bytes are never repeated, across threads and forks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from frontdesk.randomness import RandomBytesPool

SIZE = 12


def test_no_bytes_are_returned_twice() -> None:
    pool = RandomBytesPool(SIZE)
    values = [pool.next_bytes() for _ in range(1000)]
    assert {len(value) for value in values} == {SIZE}
    assert len(set(values)) == len(values)


def test_threads_never_get_the_same_bytes() -> None:
    pool = RandomBytesPool(SIZE)
    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: pool.next_bytes(), range(20_000)))
    assert len(set(values)) == len(values)


def test_a_forked_child_does_not_repeat_its_parent() -> None:
    pool = RandomBytesPool(SIZE)
    pool.next_bytes()  # a block is drawn, most of it is left
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_send, args=(pool, there))
    child.start()
    theirs = here.recv()
    child.join()
    assert not set(theirs) & {pool.next_bytes() for _ in range(400)}


def _send(pool: RandomBytesPool, there: Connection) -> None:
    there.send([pool.next_bytes() for _ in range(400)])
