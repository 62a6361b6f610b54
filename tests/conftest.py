"""Fixtures of the whole suite: bundles that are trained once per checkout, and real servers.

A server is started by the first test that uses it. The summary lists the servers, and substitutes for missing ones.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from frontdesk.config import PREFIX
from model_store.bundle import Bundle
from tests.support import bundle_cache
from tests.support import postgresql as postgresql_server
from tests.support import redis_server as redis_servers
from tests.support.bundle_cache import cached_bundle
from tests.support.postgresql import PostgreSql
from tests.support.redis_server import RedisServer
from tests.support.serving import PROJECT, SIGNER, Server, free_port, home_with

if TYPE_CHECKING:  # importing them takes seconds
    from training.data.examples import Example
    from training.training_run import TrainingRun

TOOK_PART = pytest.StashKey[list[str]]()
HERMETIC = (
    "e2e/test_limits.py",
    "e2e/test_lifecycle.py",
    "integration/test_features_command.py",
    "integration/test_idempotency.py",
    "integration/test_keys_command.py",
    "integration/test_redis_customers.py",
    "integration/test_redis_rate_limit.py",
    "integration/training/test_train_command.py",
    "unit/bentos/wiring/test_port_check.py",
    "unit/cli/",
    "unit/frontdesk/audit/",
    "unit/frontdesk/masking/",
    "unit/frontdesk/security/",
    "unit/frontdesk/storage/",
    "unit/frontdesk/test_config.py",
)
"""Tests that depended on the machine in the past, or easily could; `make test-hermetic` repeats them."""

LONGEST_FIRST = (
    "integration/training/test_training_run.py",
    "integration/training/test_reports.py",
    "integration/test_gate.py",
    "faults/test_scenarios.py",
    "e2e/test_placements.py",
    "e2e/test_bento.py",
    "e2e/test_lifecycle.py",
    "e2e/test_erasure.py",
    "e2e/test_grpc.py",
    "e2e/test_one_version.py",
    "e2e/test_limits.py",
    "e2e/test_connections.py",
    "hostile/test_grpc_floods.py",
    "hostile/test_flood.py",
)
"""Files that take half a minute or longer. They run first, so that no process starts one while the others are idle."""


# No deadlines: on a busy machine a correct test may be slow.
settings.register_profile("frontdesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("frontdesk")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TOOK_PART] = []
    _isolate()


def _isolate() -> None:
    """Make the tests independent of the caller's directory, settings and running servers.

    Commands that tests run in this process get ports on which no server listens.
    """
    os.chdir(PROJECT)
    for name in [name for name in os.environ if name.startswith((PREFIX, "BENTOML_"))]:
        del os.environ[name]
    os.environ[f"{PREFIX}SERVER__PORT"] = str(free_port())
    os.environ[f"{PREFIX}SERVER__GRPC_PORT"] = "null"
    os.environ[f"{PREFIX}HOME"] = str(Path(tempfile.gettempdir()) / f"frontdesk-tests-{os.getpid()}-unused")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (worker_output := getattr(session.config, "workeroutput", None)) is not None:  # a worker process of pytest-xdist
        worker_output["took_part"] = session.config.stash[TOOK_PART]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    positions = {name: position for position, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: positions.get(_name(item), len(positions)))
    for item in items:
        if _name(item).startswith(HERMETIC):
            item.add_marker(pytest.mark.hermetic)


def _name(item: pytest.Item) -> str:
    """The file below tests/."""
    return item.path.relative_to(PROJECT / "tests").as_posix()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    lines = node.config.stash[TOOK_PART]
    lines += [line for line in getattr(node, "workeroutput", {}).get("took_part", ()) if line not in lines]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[TOOK_PART]:
        terminalreporter.section("servers used by the tests")
        for line in config.stash[TOOK_PART]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgreSql]:
    """One real PostgreSQL for the whole session. A test that stops it must start it again."""
    if (reason := postgresql_server.missing()) is not None:
        request.config.stash[TOOK_PART].append(f"PostgreSQL: none, its tests were skipped: {reason}")
        pytest.skip(reason)
    with postgresql_server.running() as server:
        request.config.stash[TOOK_PART].append("PostgreSQL: real, with fsync")
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSql) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    url = postgresql.fresh_database()
    yield url
    postgresql.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for one test, which runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database' / 'frontdesk.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def shared_redis(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    reason = redis_servers.missing()
    with redis_servers.running() as server:
        request.config.stash[TOOK_PART].append(f"Redis: fakeredis over TCP: {reason}" if reason else "Redis: real")
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """An empty Redis. A test that stops it must start it again."""
    shared_redis.flush()
    return shared_redis


@pytest.fixture(scope="session")
def starter_examples() -> tuple[Example, ...]:
    from training.data.examples import STARTER_CORPUS, read_examples

    return read_examples(STARTER_CORPUS)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    return bundle_cache.tiny_run(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def tiny_bundle() -> Bundle:
    """A sealed and signed bundle, trained once per checkout. Tests that change files must copy it."""
    return cached_bundle()


@pytest.fixture
def copied_bundle(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the tiny bundle's folder, which tests may damage."""
    return Path(shutil.copytree(tiny_bundle.path, tmp_path / tiny_bundle.version))


@pytest.fixture
def home(tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder for one test with the tiny bundle as champion; this process trusts the bundle's signature."""
    monkeypatch.setenv("FRONTDESK_SECURITY__BUNDLE_KEYS", json.dumps([SIGNER.public]))
    return home_with(tiny_bundle, tmp_path / "home")


@pytest.fixture(scope="session")
def server(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with two workers, shared by all tests that do not stop it."""
    home = home_with(tiny_bundle, tmp_path_factory.mktemp("served") / "home")
    with Server(home, observability__refused_lines_per_second="null") as running:  # tests search the log for each line
        yield running


@pytest.fixture(scope="session")
def encoder_bundle() -> Bundle:
    """A bundle like `tiny_bundle`, with both encoders, one layer each."""
    return cached_bundle("encoders")


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty MLflow database, to be copied, because its migrations take seconds."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("mlflow")
    MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder
