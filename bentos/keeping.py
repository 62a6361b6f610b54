"""What keeps answers: the recorder with its spool, the keys of requests sent twice, and Redis where there is one."""

from __future__ import annotations

from sqlalchemy import Engine

from bentos.audit import Auditor
from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.security.fingerprints import fingerprint_key
from frontdesk.security.sealing import Sealing
from frontdesk.storage.dispatcher import Dispatcher
from frontdesk.storage.idempotency import IdempotencyKeys
from frontdesk.storage.recorder import Patience, SpoolingRecorder
from frontdesk.storage.redis_client import RedisInTime
from frontdesk.storage.rows import RowMaker
from frontdesk.storage.spool import Spool


def open_recorder(
    settings: Settings,
    engine: Engine,
    spool: Spool,
    seal: Sealing,
    metrics: Metrics,
    outbox: Dispatcher | None,
    auditor: Auditor,
) -> SpoolingRecorder:
    """Commits in groups, and spools on this host while the database is away."""
    storage = settings.storage
    return SpoolingRecorder(
        engine,
        spool,
        RowMaker(seal, settings.sinks, auditor.key.answered if settings.security.audit_answers else None),
        metrics,
        patience=Patience(storage.commit_budget_s, storage.commit_timeout_s),
        max_rows_per_commit=storage.max_rows_per_commit,
        key_ttl_s=storage.idempotency_ttl_s,
        fingerprint=fingerprint_key(settings.keys).fingerprint,
        on_commit=outbox.wake if outbox else lambda: None,
        trail=auditor.trail,
    )


def open_keys(
    settings: Settings, recorder: SpoolingRecorder, spool: Spool, seal: Sealing, metrics: Metrics
) -> IdempotencyKeys:
    """Claims of requests that bring an Idempotency-Key."""
    storage = settings.storage
    return IdempotencyKeys(
        recorder,
        spool,
        seal,
        metrics,
        lease_s=storage.idempotency_lease_s,
        ttl_s=storage.idempotency_ttl_s,
        one_host=storage.hosts == 1,
    )


def open_redis(settings: Settings) -> RedisInTime | None:
    """Only where `redis.url` is set; every call of it ends in time."""
    redis = settings.redis
    return None if redis.url is None else RedisInTime(redis.url, timeout_s=redis.timeout_s)
