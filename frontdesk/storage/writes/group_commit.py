"""Group commit: one transaction for the work of several requests.

A commit waits for the disk, and most of its cost is the same for one row as for a hundred. One thread takes all queued
work, writes it in one transaction, and wakes the requests after the commit. There is no waiting window: an idle thread
commits a single request at once, and a busy thread finds more work in the next round.

`commit` decides what is written, and where.
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
    """Queued work, and the future of the request that waits for its outcome; None if no request waits."""

    work: Work
    future: asyncio.Future[object] | None

    def is_abandoned(self) -> bool:
        return self.future is not None and self.future.done()


class GroupCommit(Generic[Work]):
    """One writer thread. Create it after a fork, never before. Several processes may share one database.

    Args:
        name: of the thread.
        commit: writes a batch in one transaction and returns an outcome for each item, in order, once they are on the
            disk: a value, or the exception to raise in the request. It never raises.
        max_batch: maximum number of items in one transaction.
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
        """Return the outcome of `work` once it is on the disk; raise the outcome if it is an exception.

        The work of a caller that is cancelled or timed out is dropped if the thread has not taken it yet; otherwise it
        may still be written. Unacknowledged work may be in the store; acknowledged work is.

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
        """Queue work whose outcome is not needed. Does nothing after `close`."""
        with self._closing:
            if not self._closed:
                self._queue.put(PendingWork(work, None))

    def close(self, timeout_s: float) -> bool:
        """Commit the queued work, then stop; return False if that took longer than `timeout_s`. May be called again."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)  # under the lock, so nothing can come after it
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _write(self) -> None:
        for batch in self._batches():
            fail_point("commit.before_begin")
            pending = [item for item in batch if not item.is_abandoned()]
            if pending:
                _wake_requests(pending, self._commit([item.work for item in pending]))

    def _batches(self) -> Iterator[list[PendingWork[Work]]]:
        """Yield batches of at most `max_batch` queued items until the queue is closed."""
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
    """Set the results of all requests, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[object], Outcome]]] = {}
    for item, outcome in zip(batch, outcomes, strict=True):
        if item.future is not None:
            loops.setdefault(item.future.get_loop(), []).append((item.future, outcome))
    for loop, results in loops.items():
        with suppress(RuntimeError):  # the loop is closed, so none of its requests waits
            loop.call_soon_threadsafe(_set_results, results)


def _set_results(results: Sequence[tuple[asyncio.Future[object], Outcome]]) -> None:
    for future, outcome in results:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
