"""A private Redis for tests: the real binary on a free port of 127.0.0.1, or fakeredis over TCP if it is missing.

Fault tests kill, freeze and restart the real one; fakeredis runs in this process and can only be killed and started.
Nothing is stored on disk: after a restart, Redis is empty.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import fakeredis
import redis

from tests.support import process_trees
from tests.support.postgresql import WITHOUT_SERVERS
from tests.support.serving import free_port

READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.01


def missing() -> str | None:
    """The reason why Redis cannot be started here; None if it can."""
    is_here = not os.environ.get(WITHOUT_SERVERS) and shutil.which("redis-server")
    return None if is_here else "redis-server is not on this machine (make test-deps installs it)"


class RedisServer(Protocol):
    """Operations of tests on a Redis, real or fake."""

    port: int
    is_real: bool

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...

    def cont(self) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class RealRedis:
    """One `redis-server` without persistence."""

    is_real = True

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, "the server was never started"
        return self._process.pid

    def start(self) -> None:
        """Start on the same port, and wait until it answers."""
        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no")
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *options, "--dir", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _wait_until_it_answers(self.url)

    def kill(self) -> None:
        process_trees.kill(self.pid)
        assert self._process
        self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Freeze it (SIGSTOP): connections stay open without a response."""
        process_trees.freeze(self.pid)

    def cont(self) -> None:
        process_trees.thaw(self.pid)

    def flush(self) -> None:
        _flush(self.url)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class FakeRedis:
    """fakeredis behind a TCP port, in a thread of this process."""

    is_real = False

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._server: fakeredis.TcpFakeServer | None = None

    def start(self) -> None:
        self._server = fakeredis.TcpFakeServer(("127.0.0.1", self.port), server_type="redis")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        _wait_until_it_answers(self.url)

    def kill(self) -> None:
        assert self._server
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def stop(self) -> None:
        raise NotImplementedError("only a process of its own can be frozen; ask is_real first")

    def cont(self) -> None:
        raise NotImplementedError("only a process of its own can be frozen; ask is_real first")

    def flush(self) -> None:
        _flush(self.url)

    def close(self) -> None:
        if self._server is not None:
            self.kill()


@contextmanager
def running() -> Iterator[RedisServer]:
    """A running Redis; the real one if it is installed."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-redis-"))
    server: RedisServer = FakeRedis() if missing() else RealRedis(folder)
    try:
        with closing(server):
            server.start()
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(url: str) -> None:
    give_up = time.monotonic() + READY_TIMEOUT_S
    with closing(redis.Redis.from_url(url, socket_timeout=1.0)) as client:
        while time.monotonic() < give_up:
            with contextlib.suppress(redis.RedisError):
                client.ping()
                return
            time.sleep(POLL_S)
    raise AssertionError(f"Redis did not answer within {READY_TIMEOUT_S} s")


def _flush(url: str) -> None:
    with closing(redis.Redis.from_url(url)) as client:
        client.flushall()
