"""One worker's parts together, and what the doors ask of them beside the pipeline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from bentos.admission.errors import problem_response
from bentos.worker.model_info import Inventory
from bentos.worker.revocations import RevocationWatch
from frontdesk.audit.checkpoints import Checkpoints
from frontdesk.audit.counts import AuditCounts
from frontdesk.audit.log import Auditor
from frontdesk.errors import FrontdeskError, StorageUnavailable
from frontdesk.observability.metrics import Metrics
from frontdesk.pipeline import AnswerQuery
from frontdesk.responses.llm.client import OpenAiClient
from frontdesk.security.gate import Gate
from frontdesk.security.rate_limit import RateLimits
from frontdesk.security.sealing import Sealing
from frontdesk.storage.database import reading
from frontdesk.storage.disk_room import DiskRoom
from frontdesk.storage.erasure.follower import ErasureFollower
from frontdesk.storage.erasure.retention import RetentionJob
from frontdesk.storage.outbox.admin import OutboxCare
from frontdesk.storage.outbox.dispatcher import Dispatcher
from frontdesk.storage.reads.query_history import Archive
from frontdesk.storage.reads.sql_customer_history import SqlCustomers
from frontdesk.storage.record_rows import COMMITTED, SPOOLED
from frontdesk.storage.redis.optional_redis import RedisInTime
from frontdesk.storage.spool.spool import Spool
from frontdesk.storage.sql.records import find_answer
from frontdesk.storage.subjects import customer_hash
from frontdesk.storage.transactions import in_spool_thread, in_storage_thread
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.storage.writes.recorder import SpoolingRecorder
from frontdesk.types import Caller
from runners.server.model_server import ModelServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One worker's parts, opened and warm."""

    pipeline: AnswerQuery
    champion: ModelServer
    gate: Gate
    limits: RateLimits
    metrics: Metrics
    engine: Engine
    recorder: SpoolingRecorder
    keys: IdempotencyKeys
    spool: Spool
    seal: Sealing
    customers: SqlCustomers
    redis: RedisInTime | None
    outbox: Dispatcher | None
    auditor: Auditor
    checkpoints: Checkpoints
    inventory: Inventory
    language_model: OpenAiClient | None
    archive: Archive
    audit_counts: AuditCounts
    revocations: RevocationWatch
    erasure_follower: ErasureFollower
    retention: RetentionJob
    disk_room: DiskRoom

    @property
    def outbox_care(self) -> OutboxCare:
        return OutboxCare(self.engine)

    def refuse(self, error: FrontdeskError) -> Response:
        """What a caller sees of an error; it is counted by its kind."""
        self.metrics.observe_rejection(error.kind)
        return problem_response(error)

    def tell_waiting(self) -> None:
        """Tell metrics how many texts wait for the models just now."""
        self.metrics.set_waiting(self.champion.waiting)

    async def find_answer(self, caller: Caller, query_id: str) -> tuple[bytes, str | None] | None:
        """A stored answer as JSON with the keyed hash of its customer; None if this tenant has no such answer."""

        def read() -> tuple[bytes, str | None] | None:
            with reading(self.engine) as connection:
                return find_answer(connection, caller.tenant, query_id)

        if self.recorder.is_spooling:
            raise StorageUnavailable("The database is away.", hint="Try again later.")
        try:
            row = await in_storage_thread(read)
        except SQLAlchemyError as error:
            raise StorageUnavailable(
                f"The record could not be read ({type(error).__name__}).", hint="Try again later."
            ) from None
        if row is None:
            return None
        answer, customer_id = row
        if customer_id is None:
            return answer, None
        return answer, customer_hash(self.archive.fingerprint, caller.tenant, customer_id)

    async def storage(self) -> dict[str, object] | None:
        """Where answers are kept just now and how many wait in the spool; None where the spool cannot be read."""
        try:
            waiting, refused = await in_spool_thread(self.spool.backlog)
        except SQLAlchemyError:
            return None
        kept = SPOOLED if self.recorder.is_spooling else COMMITTED
        return {"storage": kept, "spool_waiting": waiting, "spool_refused": refused}

    async def close(self) -> None:
        """Finish what was accepted: models first, then the record of what they said."""
        await self.champion.close()
        if self.language_model is not None:
            await self.language_model.close()
        await asyncio.to_thread(self.erasure_follower.close)
        await asyncio.to_thread(self.retention.close)
        await asyncio.to_thread(self.recorder.close)
        await asyncio.to_thread(self.revocations.close)
        await asyncio.to_thread(self.audit_counts.close)
        await asyncio.to_thread(self.checkpoints.close)
        self.spool.close()
        self.customers.close()
        if self.redis is not None:
            await self.redis.close()
        if self.outbox is not None:
            await asyncio.to_thread(self.outbox.close)
        self.engine.dispose()
