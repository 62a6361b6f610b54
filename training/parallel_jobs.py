"""Works that take minutes, each in a process of its own, with one progress for all of them.

Small encoders use two threads badly: on two cores two of them beside each other took 5.2 ms a row, one after another
with two threads each 9.4 ms. Knows nothing of what is worked on.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from training.progress import ReportFraction

Job = Callable[[ReportFraction], None]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ONEDNN_SETTINGS = {
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"
}  # texts come in every length; kept for each: 0.3 GB, and no faster


@dataclass(frozen=True, slots=True)
class _JobFailure:
    """What ended a work, on its way to the parent."""

    reason: Exception


class JobKilled(RuntimeError):
    """A process ended without a word: killed, most often for want of memory."""


def run_parallel(jobs: Mapping[str, Job], on_progress: ReportFraction) -> None:
    """Run all works at once, the cores shared out evenly, and return when the last is done.

    Args:
        works: picklable callables by name; each is told how to report its share, 0 to 1.
        tell: is told the mean of the works' shares.

    Raises:
        Exception: what a work raised, once the others have been stopped.
        WorkDied: when a process was killed.
    """
    spawn = multiprocessing.get_context("spawn")  # a forked torch may inherit a lock that is held
    threads = max(1, (os.cpu_count() or 1) // max(1, len(jobs)))
    running: dict[Connection, SpawnProcess] = {}
    try:
        for name, job in jobs.items():
            receiver, sender = spawn.Pipe(duplex=False)
            process = spawn.Process(target=_run_job, args=(job, sender, threads), name=name, daemon=True)
            process.start()
            sender.close()
            running[receiver] = process
        _collect_progress(running, on_progress)
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def release_free_memory() -> None:
    """Return what was freed to the system, where the C library can: 0.7 GB of 1.6 after a fine-tuning (measured)."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # of glibc
        library.malloc_trim(0)


def _collect_progress(running: dict[Connection, SpawnProcess], on_progress: ReportFraction) -> None:
    """Read what the works say until none is running; takes out of `running` those that are done."""
    shares = {process.name: 0.0 for process in running.values()}
    while running:
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)  # nothing else is waited for
            process = running[connection]
            try:
                message = connection.recv()
            except EOFError:
                raise JobKilled(f"The process of {process.name} was killed; is there enough memory?") from None
            if isinstance(message, _JobFailure):
                raise message.reason
            if message is None:
                process.join()
                del running[connection]
                continue
            shares[process.name] = message
            on_progress(sum(shares.values()) / len(shares))


def _run_job(job: Job, connection: Connection, threads: int) -> None:
    """In the new process. Ctrl-C reaches the whole group: the parent alone answers to it, and ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, str(threads)) | ONEDNN_SETTINGS)
    try:
        job(connection.send)
    except Exception as error:  # noqa: BLE001  # whatever it is belongs to the caller, in the other process
        connection.send(_JobFailure(error))
    else:
        connection.send(None)
