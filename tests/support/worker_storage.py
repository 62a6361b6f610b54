"""The storage of one worker: database, spool, recorder and idempotency keys, for tests of writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from frontdesk.observability.metrics import Metrics
from frontdesk.security.field_encryption import FieldCipher
from frontdesk.storage.database import open_database
from frontdesk.storage.record_rows import RowBuilder
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.storage.writes.recorder import RecorderTimeouts, SpoolingRecorder
from tests.support.records import SEAL


def fingerprint(plain: bytes) -> str:
    """A hash without a key, for tests only."""
    return sha256(plain).hexdigest()


@dataclass
class WorkerStorage:
    """Storage of one worker. `home` is the folder of its host, `url` a migrated database."""

    url: str
    home: Path
    budget_s: float = 3.0
    timeout_s: float = 5.0
    max_rows_per_commit: int = 256
    lease_s: float = 30.0
    ttl_s: float = 3600.0
    one_host: bool = True
    sinks: tuple[str, ...] = ()
    field_cipher: FieldCipher = SEAL
    engine: Engine | None = None
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))

    def __post_init__(self) -> None:
        self.engine = self.engine or open_database(self.url)
        self.spool = Spool.open(self.home)
        self.recorder = SpoolingRecorder(
            self.engine,
            self.spool,
            RowBuilder(self.field_cipher, self.sinks, fingerprint=fingerprint),
            self.metrics,
            timeouts=RecorderTimeouts(self.budget_s, self.timeout_s),
            max_rows_per_commit=self.max_rows_per_commit,
            key_ttl_s=self.ttl_s,
            fingerprint=fingerprint,
        )
        self.keys = IdempotencyKeys(
            self.recorder,
            self.spool,
            self.field_cipher,
            self.metrics,
            lease_s=self.lease_s,
            ttl_s=self.ttl_s,
            one_host=self.one_host,
            fingerprint=fingerprint,
        )

    def close(self) -> None:
        self.recorder.close()
        self.spool.close()
        assert self.engine is not None
        self.engine.dispose()

    def metric(self, name: str) -> float:
        """The value of a sample in Prometheus' text format; `name` includes the labels."""
        lines = self.metrics.render()[0].decode().splitlines()
        return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")))


@contextmanager
def open_worker_storage(url: str, home: Path, **settings: object) -> Iterator[WorkerStorage]:
    opened = WorkerStorage(url, home, **settings)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        opened.close()
