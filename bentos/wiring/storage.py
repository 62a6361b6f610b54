"""Open the recorder, idempotency keys, erasure follower, disk check, retention and Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Engine

from frontdesk.audit.log import Auditor
from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.responses.reply.reply_cache import CachedReplies
from frontdesk.security.field_encryption import FieldCipher
from frontdesk.security.pseudonyms import load_pseudonym_key
from frontdesk.storage.disk_space import DiskSpace
from frontdesk.storage.erasure.follower import ErasureFollower
from frontdesk.storage.erasure.retention import Retention
from frontdesk.storage.outbox.dispatcher import Dispatcher
from frontdesk.storage.record_rows import RowBuilder
from frontdesk.storage.redis.optional_redis import OptionalRedis
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.storage.writes.recorder import RecorderTimeouts, SpoolingRecorder

FORGET_TIMEOUT_S = 5.0


def open_recorder(
    settings: Settings,
    engine: Engine,
    spool: Spool,
    field_cipher: FieldCipher,
    *,
    metrics: Metrics,
    outbox: Dispatcher | None,
    auditor: Auditor,
) -> SpoolingRecorder:
    """Open the recorder, which uses group commit, and the spool while the database is unavailable."""
    storage, pseudonym = settings.storage, load_pseudonym_key(settings.keys).pseudonym
    return SpoolingRecorder(
        engine,
        spool,
        RowBuilder(
            field_cipher,
            settings.sinks,
            auditor.key.answer_entry if settings.security.audit_answers else None,
            pseudonym,
        ),
        metrics,
        timeouts=RecorderTimeouts(storage.commit_budget_s, storage.commit_timeout_s),
        max_rows_per_commit=storage.max_rows_per_commit,
        key_ttl_s=storage.idempotency_ttl_s,
        fingerprint=pseudonym,
        on_commit=outbox.wake if outbox else lambda: None,
        trail=auditor.trail,
    )


def open_idempotency_keys(
    settings: Settings, recorder: SpoolingRecorder, spool: Spool, field_cipher: FieldCipher, metrics: Metrics
) -> IdempotencyKeys:
    """Open the store of Idempotency-Keys."""
    storage = settings.storage
    return IdempotencyKeys(
        recorder,
        spool,
        field_cipher,
        metrics,
        lease_s=storage.idempotency_lease_s,
        ttl_s=storage.idempotency_ttl_s,
        one_host=storage.hosts == 1,
        fingerprint=load_pseudonym_key(settings.keys).pseudonym,
    )


def follow_erasures(settings: Settings, engine: Engine, spool: Spool, replies: CachedReplies | None) -> ErasureFollower:
    """Start applying erasures of other workers and hosts; includes cached replies only if an event loop is running."""
    pseudonym = load_pseudonym_key(settings.keys).pseudonym
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return ErasureFollower(engine, spool, pseudonym)
    if replies is None:
        return ErasureFollower(engine, spool, pseudonym)

    def forget(tenant: str) -> None:
        future = asyncio.run_coroutine_threadsafe(replies.forget(tenant), loop)
        if future.result(FORGET_TIMEOUT_S) is None:
            raise TimeoutError  # the follower retries

    return ErasureFollower(engine, spool, pseudonym, replies.tenants, forget)


def open_disk_space(settings: Settings, engine: Engine, metrics: Metrics) -> DiskSpace:
    """Open the check of free space in the file systems of home (with the spool) and of SQLite's file."""
    folders = [settings.home]
    if engine.dialect.name == "sqlite":
        folders.append(Path(str(engine.url.database)).parent)
    return DiskSpace(folders, settings.storage.min_free_bytes, metrics.set_disk_free)


def open_retention(settings: Settings, engine: Engine, trail: AuditTrail) -> Retention:
    """Open the retention of the database and the events file, by `storage.retention_days`."""
    return Retention(engine, trail, settings.storage.retention_days.model_dump(), settings.events_file)


def open_redis(settings: Settings) -> OptionalRedis | None:
    """Create the Redis client, whose calls have a timeout; None if `redis.url` is not set."""
    redis = settings.redis
    return None if redis.url is None else OptionalRedis(redis.url, timeout_s=redis.timeout_s)
