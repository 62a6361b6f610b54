"""Run long jobs in parallel, each in its own process, with one combined progress.

Small encoders gain little from a second thread: on two cores, two encoders in parallel took 5.2 ms per row, one after
the other with two threads each 9.4 ms.
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
ONEDNN_SETTINGS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}
"""By default oneDNN caches a primitive for every text length, which takes 0.3 GB and saves no time."""


@dataclass(frozen=True, slots=True)
class _JobFailure:
    """The exception of a job, sent to the parent process."""

    reason: Exception


class JobKilled(RuntimeError):
    """A job's process was killed, most often because of too little memory."""


def run_parallel(jobs: Mapping[str, Job], on_progress: ReportFraction) -> None:
    """Run all jobs in parallel, with an equal share of the cores each, and return when the last one has ended.

    Args:
        jobs: picklable callables by name; each gets a function to report its completed fraction, 0 to 1.
        on_progress: called with the mean of the jobs' completed fractions.

    Raises:
        Exception: the exception of a job, after the other jobs were stopped.
        JobKilled: a process was killed.
    """
    spawn = multiprocessing.get_context("spawn")  # after a fork, torch may have a lock that is never released
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
    """Return freed memory to the system, if the C library can: 0.7 of 1.6 GB after one fine-tuning (measured)."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # glibc only
        library.malloc_trim(0)


def _collect_progress(running: dict[Connection, SpawnProcess], on_progress: ReportFraction) -> None:
    """Receive the messages of the jobs until all have completed. A job that completes is removed from `running`."""
    shares = {process.name: 0.0 for process in running.values()}
    while running:
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)
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
    """Run a job in the new process. SIGINT (Ctrl-C) is ignored here: the parent handles it and ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, str(threads)) | ONEDNN_SETTINGS)
    try:
        job(connection.send)
    except Exception as error:  # noqa: BLE001 - every exception is raised again in the parent process
        connection.send(_JobFailure(error))
    else:
        connection.send(None)
