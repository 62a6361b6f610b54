"""Group commit: what finishes together is committed together.

A commit waits for the disk, and most of what it costs is the same for one row as for a hundred. So one thread takes
everything that waits, writes it in one transaction, and wakes the requests once it is committed. There is no waiting
window: an idle thread commits a lone request at once, and a busy one finds more the next time.

Knows nothing of what is written or where: `commit` does that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from frontdesk.errors import StorageUnavailable
from frontdesk.storage.failpoints import fail_point

Work = TypeVar("Work")
Outcome = object | Exception


@dataclass(frozen=True, slots=True)
class PendingWork(Generic[Work]):
    """Work, and the request that waits for its outcome; None where nobody does."""

    work: Work
    future: asyncio.Future[object] | None

    def is_over(self) -> bool:
        return self.future is not None and self.future.done()


class GroupCommit(Generic[Work]):
    """One writer thread. Make it after a fork, never before; several processes may share one database.

    Args:
        name: of the thread.
        commit: writes all of its works in one transaction, and gives an outcome for each, in order, once they are on
            the disk: a value, or the exception that its request shall see. It never raises.
        most_at_once: how many works one transaction takes.
    """

    def __init__(self, name: str, commit: Callable[[Sequence[Work]], Sequence[Outcome]], max_batch: int) -> None:
        self._commit = commit
        self._max_batch = max_batch
        self._queue: SimpleQueue[PendingWork[Work] | None] = SimpleQueue()
        self._closing = Lock()
        self._closed = False
        self._thread = Thread(target=self._write, name=name, daemon=True)
        self._thread.start()

    async def put(self, work: Work) -> object:
        """The outcome of `work`, once it is on the disk; it raises where the outcome is an exception.

        A caller that is cancelled, or whose time is over, is forgotten: its work is dropped if the thread has not come
        to it, but it may still be done. What is not acknowledged may be there; what is acknowledged is.

        Raises:
            StorageUnavailable: the thread is closed.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        with self._closing:
            if self._closed:
                raise StorageUnavailable("The recorder is closed.", hint="The server is stopping; ask another one.")
            self._queue.put(PendingWork(work, future))
        return await future

    def put_without_waiting(self, work: Work) -> None:
        """The same for what nobody waits for; once closed, nothing happens."""
        with self._closing:
            if not self._closed:
                self._queue.put(PendingWork(work, None))

    def close(self, timeout_s: float) -> bool:
        """Commit what waits, then stop; False where that took longer than `timeout_s`. Once is enough."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)  # under the lock, so nothing can come after it
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _write(self) -> None:
        for batch in self._batches():
            fail_point("commit.before_begin")
            pending = [item for item in batch if not item.is_over()]
            if pending:
                _wake_requests(pending, self._commit([item.work for item in pending]))

    def _batches(self) -> Iterator[list[PendingWork[Work]]]:
        """What waits, as much as one transaction takes, until the end of the queue."""
        while (item := self._queue.get()) is not None:
            batch = [item]
            while len(batch) < self._max_batch and not self._queue.empty():
                next_item = self._queue.get()
                if next_item is None:
                    self._queue.put(None)
                    break
                batch.append(next_item)
            yield batch


def _wake_requests(batch: Sequence[PendingWork[Work]], outcomes: Sequence[Outcome]) -> None:
    """Wake the requests, with one call into each event loop however many there are."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[object], Outcome]]] = {}
    for item, outcome in zip(batch, outcomes, strict=True):
        if item.future is not None:
            loops.setdefault(item.future.get_loop(), []).append((item.future, outcome))
    for loop, results in loops.items():
        with suppress(RuntimeError):  # the loop is closed, and with it everybody who waited there
            loop.call_soon_threadsafe(_set_results, results)


def _set_results(results: Sequence[tuple[asyncio.Future[object], Outcome]]) -> None:
    for future, outcome in results:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
