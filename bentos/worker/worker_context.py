"""The parts of one worker in four groups: models, storage, security and telemetry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from bentos.admission.errors import problem_response
from bentos.worker.model_info import ModelInventory
from bentos.worker.revocations import RevocationWatch
from bentos.worker.telemetry import Telemetry
from frontdesk.audit.checkpoints import CheckpointWriter
from frontdesk.audit.counts import AuditCounts
from frontdesk.audit.log import Auditor
from frontdesk.errors import FrontdeskError, StorageUnavailable
from frontdesk.pipeline import AnswerQuery
from frontdesk.responses.llm.client import OpenAiClient
from frontdesk.security.authentication import Authenticator
from frontdesk.security.field_encryption import FieldCipher
from frontdesk.security.rate_limit import RateLimiter
from frontdesk.storage.database import begin_reading
from frontdesk.storage.disk_space import DiskSpace
from frontdesk.storage.erasure.follower import ErasureFollower
from frontdesk.storage.erasure.retention import RetentionJob
from frontdesk.storage.erasure_subjects import customer_hash
from frontdesk.storage.outbox.dispatcher import Dispatcher
from frontdesk.storage.outbox.outbox_admin import OutboxAdmin
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.reads.sql_customer_history import SqlCustomerHistory
from frontdesk.storage.record_rows import COMMITTED, SPOOLED
from frontdesk.storage.redis.optional_redis import OptionalRedis
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.records import StoredAnswer, find_answer
from frontdesk.storage.transactions import in_spool_thread, in_storage_thread
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.storage.writes.recorder import SpoolingRecorder
from frontdesk.types import Caller
from runners.server.model_server import ModelServer


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParts:
    """The models and the pipeline that uses them."""

    pipeline: AnswerQuery
    champion: ModelServer
    inventory: ModelInventory
    language_model: OpenAiClient | None

    async def close(self) -> None:
        """Finish the accepted messages, then close the models and the language model's client."""
        await self.champion.close()
        if self.language_model is not None:
            await self.language_model.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageParts:
    """The database, the spool and Redis, and the background jobs that use them."""

    engine: Engine
    recorder: SpoolingRecorder
    keys: IdempotencyKeys
    spool: Spool
    customers: SqlCustomerHistory
    redis: OptionalRedis | None
    outbox: Dispatcher | None
    query_history: QueryHistory
    disk_space: DiskSpace
    erasure_follower: ErasureFollower
    retention: RetentionJob

    @property
    def outbox_admin(self) -> OutboxAdmin:
        return OutboxAdmin(self.engine)

    async def find_answer(self, caller: Caller, query_id: str) -> tuple[bytes, str | None] | None:
        """A stored answer with its masked message as JSON, and the pseudonym of its customer.

        None if this tenant has no such answer.
        """

        def read() -> StoredAnswer | None:
            with begin_reading(self.engine) as connection:
                return find_answer(connection, caller.tenant, query_id)

        if self.recorder.is_spooling:
            raise StorageUnavailable("The database is unavailable.", hint="Try again later.")
        try:
            row = await in_storage_thread(read)
        except SQLAlchemyError as error:
            raise StorageUnavailable(
                f"The record could not be read ({type(error).__name__}).", hint="Try again later."
            ) from None
        if row is None:
            return None
        if row.customer_id is None:
            return row.to_json(), None
        return row.to_json(), customer_hash(self.query_history.fingerprint, caller.tenant, row.customer_id)

    async def status(self) -> dict[str, object] | None:
        """Current storage of answers and backlog of the spool; None if the spool cannot be read."""
        try:
            waiting, refused = await in_spool_thread(self.spool.backlog)
        except SQLAlchemyError:
            return None
        location = SPOOLED if self.recorder.is_spooling else COMMITTED
        return {"storage": location, "spool_waiting": waiting, "spool_refused": refused}

    async def close_writers(self) -> None:
        """Write pending data and stop the jobs that write."""
        for close in (self.erasure_follower.close, self.retention.close, self.recorder.close):
            await asyncio.to_thread(close)

    async def close(self) -> None:
        """Close the connections; call it after all users of them are closed."""
        self.spool.close()
        self.customers.close()
        if self.redis is not None:
            await self.redis.close()
        if self.outbox is not None:
            await asyncio.to_thread(self.outbox.close)
        self.engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityParts:
    """Authentication, rate limits, field encryption and the audit log."""

    authenticator: Authenticator
    limits: RateLimiter
    field_cipher: FieldCipher
    auditor: Auditor
    checkpoints: CheckpointWriter
    audit_counts: AuditCounts
    revocations: RevocationWatch

    async def close(self) -> None:
        """Write the last audit entries, then sign them."""
        for close in (self.revocations.close, self.audit_counts.close, self.checkpoints.close):
            await asyncio.to_thread(close)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """The opened parts of one worker, with warm models."""

    models: ModelParts
    storage: StorageParts
    security: SecurityParts
    telemetry: Telemetry

    def refuse(self, error: FrontdeskError) -> Response:
        """Count a refusal by its kind, and return its problem document."""
        self.telemetry.metrics.observe_rejection(error.kind)
        return problem_response(error)

    def observe_waiting_texts(self) -> None:
        """Set the metric of texts in the queue of the models."""
        self.telemetry.metrics.set_waiting_texts(self.models.champion.waiting)

    async def close(self) -> None:
        """Close in order: models, records of their answers, audit log, connections. Accepted requests are finished."""
        await self.models.close()
        await self.storage.close_writers()
        await self.security.close()
        await self.storage.close()
