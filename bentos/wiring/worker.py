"""The composition root: create the parts of one worker from the settings. There is one `WorkerContext` per process.

The pipeline receives everything that it needs from here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from bentos.wiring.local_llm import prepare_local_llm
from bentos.wiring.model import (
    build_model_server,
    find_execution_provider_for_worker,
    open_ensemble,
    open_trusted_bundle,
    served_bundle_path,
)
from bentos.wiring.outbox import open_outbox
from bentos.wiring.rate_limits import open_rate_limits
from bentos.wiring.replies import (
    cached_replies,
    llm_settings,
    open_language_model,
    open_reply_cache,
    open_writer,
    read_knowledge,
    read_questions,
)
from bentos.wiring.storage import (
    follow_erasures,
    open_disk_space,
    open_idempotency_keys,
    open_recorder,
    open_redis,
    open_retention,
)
from bentos.worker.model_info import ModelInventory
from bentos.worker.revocations import RevocationWatch
from bentos.worker.telemetry import Telemetry
from bentos.worker.worker_context import ModelParts, SecurityParts, StorageParts, WorkerContext
from frontdesk.audit.chain import load_audit_key
from frontdesk.audit.checkpoints import CheckpointWriter
from frontdesk.audit.counts import AuditCounts
from frontdesk.audit.log import Auditor, open_auditor
from frontdesk.config import Settings
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.masking.masker import load_masker
from frontdesk.observability.metrics import Metrics
from frontdesk.pipeline import AnswerQuery, Champion, CustomerHistorySource, Recorder, ReplyWriter
from frontdesk.responses.llm import factory
from frontdesk.responses.reply.reply_cache import CachedReplies
from frontdesk.security.authentication import Authenticator
from frontdesk.security.field_encryption import FieldCipher, open_field_cipher
from frontdesk.security.jwks import IssuerKeys
from frontdesk.security.keys_from_env import install_keys_from_env
from frontdesk.security.pseudonyms import load_pseudonym_key
from frontdesk.security.revocations import Revocations
from frontdesk.security.token_keys import LocalTokenKeys
from frontdesk.security.tokens import TokenKeys
from frontdesk.storage.database import migrate, open_database
from frontdesk.storage.erasure.follower import ErasureFollower
from frontdesk.storage.erasure.retention import RetentionJob
from frontdesk.storage.outbox.dispatcher import Dispatcher
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.reads.sql_customer_history import SqlCustomerHistory
from frontdesk.storage.redis.customer_history import RedisCustomerHistory
from frontdesk.storage.redis.optional_redis import OptionalRedis
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.writes.idempotency import IdempotencyKeys
from frontdesk.storage.writes.recorder import SpoolingRecorder
from model_store.bundle import Bundle
from runners.balancing.shared_load import LoadBoard
from runners.batching.text_costs import measure_text_costs
from runners.models.onnx_encoder import Precision
from runners.models.onnx_session import find_onnxruntime_build
from runners.remote.placement import check_placement
from runners.server.model_server import ModelServer
from runners.server.preflight import run_preflight

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that a worker prints it


def open_worker(
    settings: Settings,
    runners: Mapping[str, str | None] | None = None,
    worker_index: int = 0,
    board: LoadBoard | None = None,
) -> WorkerContext:
    """Open all parts and warm up the models. Blocks for a few seconds.

    Args:
        runners: addresses, by name, of the services that `model.placement` needs. Without them this process loads all
            models regardless of the placement, because the command line starts no services.
        worker_index: number of this worker, from 0.
        board: load of all workers of this server, for work offload; None without other workers.

    Raises:
        FrontdeskError: a part cannot be opened; the message names it and the solution.
    """
    telemetry = Telemetry(metrics=Metrics(), access_log=settings.observability.access_log)
    metrics = telemetry.metrics
    champion, inventory = _open_model(settings, runners, metrics, board)
    records = _open_recording_parts(settings, metrics)
    redis = open_redis(settings)
    customers = SqlCustomerHistory(
        records.engine, timeout_s=settings.storage.history_timeout_s
    )  # used only without Redis
    language_model = open_language_model(settings)
    writer = open_writer(settings, champion.ensemble.features, language_model, open_reply_cache(settings, redis))
    storage = _storage(settings, records, redis, customers, cached_replies(writer), metrics=metrics)
    champion.set_disk_check(storage.disk_space.check)
    pipeline = _pipeline(
        settings,
        champion,
        metrics,
        customers=RedisCustomerHistory(redis) if redis else customers,
        writer=writer,
        recorder=records.recorder,
        keys=records.keys,
    )
    return WorkerContext(
        models=ModelParts(pipeline=pipeline, champion=champion, inventory=inventory, language_model=language_model),
        storage=storage,
        security=_security(settings, records, metrics, worker_index),
        telemetry=telemetry,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordingParts:
    """Parts that record answers."""

    engine: Engine
    spool: Spool
    field_cipher: FieldCipher
    outbox: Dispatcher | None
    auditor: Auditor
    recorder: SpoolingRecorder
    keys: IdempotencyKeys


def _open_recording_parts(settings: Settings, metrics: Metrics) -> _RecordingParts:
    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    spool, field_cipher = Spool.open(settings.home), open_field_cipher(settings.keys)
    outbox = open_outbox(settings, engine, spool, metrics)
    auditor = open_auditor(settings, engine)
    recorder = open_recorder(settings, engine, spool, field_cipher, metrics=metrics, outbox=outbox, auditor=auditor)
    keys = open_idempotency_keys(settings, recorder, spool, field_cipher, metrics)
    return _RecordingParts(
        engine=engine,
        spool=spool,
        field_cipher=field_cipher,
        outbox=outbox,
        auditor=auditor,
        recorder=recorder,
        keys=keys,
    )


def _storage(
    settings: Settings,
    records: _RecordingParts,
    redis: OptionalRedis | None,
    customers: SqlCustomerHistory,
    replies: CachedReplies | None,
    *,
    metrics: Metrics,
) -> StorageParts:
    engine, spool = records.engine, records.spool
    follower = follow_erasures(settings, engine, spool, replies)
    return StorageParts(
        engine=engine,
        recorder=records.recorder,
        keys=records.keys,
        spool=spool,
        customers=customers,
        redis=redis,
        outbox=records.outbox,
        query_history=_query_history(settings, engine, spool, replies, follower),
        disk_space=open_disk_space(settings, engine, metrics),
        erasure_follower=follower,
        retention=RetentionJob(engine, open_retention(settings, engine, records.auditor.trail)),
    )


def _security(settings: Settings, records: _RecordingParts, metrics: Metrics, worker_index: int) -> SecurityParts:
    engine, auditor = records.engine, records.auditor
    counts = AuditCounts(engine, auditor.trail, auditor.key, on_overflow=metrics.count_merged_audit_request)
    revocations = Revocations()
    watch = RevocationWatch(engine, revocations, settings.security.revocation_refresh_s)
    return SecurityParts(
        authenticator=Authenticator(token_keys(settings), settings.security, revocations, counts.count_refusal),
        limits=open_rate_limits(settings, metrics, worker_index),
        field_cipher=records.field_cipher,
        auditor=auditor,
        checkpoints=_checkpoints(settings, engine, auditor),
        audit_counts=counts,
        revocations=watch,
    )


def _open_model(
    settings: Settings, runners: Mapping[str, str | None] | None, metrics: Metrics, board: LoadBoard | None
) -> tuple[ModelServer, ModelInventory]:
    """The loaded and warm models of the served bundle, and their description for administrators."""
    path = served_bundle_path(settings)
    provider = find_execution_provider_for_worker(settings, runners)
    ensemble = open_ensemble(settings, path, provider, runners)
    if ensemble.precisions:
        _log.info("Encoders run on %s (%s).", provider.name, provider.because)
    metrics.set_model_version(ensemble.version)
    inventory = ModelInventory.of(
        path,
        settings.bundles,
        placement=settings.model.placement if runners else "embedded",
        threads=settings.model.onnx_threads,
        provider=provider,
        precisions=ensemble.precisions,
    )
    costs = measure_text_costs(ensemble.understand)
    return build_model_server(ensemble, settings.model, metrics, board, costs), inventory


def _pipeline(
    settings: Settings,
    champion: Champion,
    metrics: Metrics,
    *,
    customers: CustomerHistorySource,
    writer: ReplyWriter,
    recorder: Recorder,
    keys: IdempotencyKeys,
) -> AnswerQuery:
    return AnswerQuery(
        mask_steps=load_masker(settings.masking.name_tagger).mask_steps,
        champion=champion,
        customers=customers,
        priority=_priority(settings),
        max_plausible_to_clarify=settings.policy.max_plausible_to_clarify,
        writer=writer,
        recorder=recorder,
        keys=keys,
        observe=metrics.observe_answer,
    )


def _checkpoints(settings: Settings, engine: Engine, auditor: Auditor) -> CheckpointWriter:
    interval_s = settings.security.audit_checkpoint_s
    return CheckpointWriter(engine, auditor.key, settings.home, auditor.trail.chain, interval_s)


def _query_history(
    settings: Settings, engine: Engine, spool: Spool, replies: CachedReplies | None, follower: ErasureFollower
) -> QueryHistory:
    pseudonym = load_pseudonym_key(settings.keys).pseudonym
    delete_replies = None if replies is None else replies.forget
    return QueryHistory(
        engine, settings.sinks, pseudonym, spool, delete_replies, follower.truncate_wal_later, settings.events_file
    )


def prepare_server_start(settings: Settings) -> tuple[Bundle, Precision]:
    """Prepare the start of workers: check all parts that they open, and create what is missing on first run.

    If a part cannot be opened, the server must refuse to start instead of starting workers that crash repeatedly.

    Returns:
        The verified bundle for all workers, and the precision in which it reproduced its golden rows.

    Raises:
        FrontdeskError: the message names the problem and the solution.
    """
    find_onnxruntime_build()
    install_keys_from_env(settings.keys, os.environ)
    bundle = open_trusted_bundle(settings)
    check_placement(settings.model.placement, bundle.manifest)
    model = settings.model
    precision = run_preflight(
        bundle,
        model.onnx_threads,
        provider=model.provider,
        precision=model.precision,
        engines=settings.engines,
    )
    _priority(settings)
    read_knowledge(settings)
    read_questions(settings)
    load_pseudonym_key(settings.keys)
    load_audit_key(settings.keys)
    token_keys(settings)
    open_field_cipher(settings.keys)
    Spool.open(settings.home).close()
    if settings.responses.provider == "local":
        prepare_local_llm(settings)
    if (llm := llm_settings(settings)) is not None:
        factory.check_llm_settings(llm)
    migrate(settings.database_url)
    return bundle, precision


def token_keys(settings: Settings) -> TokenKeys:
    """Keys that verify tokens: those of this home, created on first run, or those of an external issuer."""
    security = settings.security
    if security.jwks is None:
        return LocalTokenKeys(settings.keys)
    return IssuerKeys(
        security.jwks,
        security.algorithm,
        settings.keys,
        max_age_s=security.jwks_max_age_s,
        max_stale_s=security.jwks_max_stale_s,
    )


def _priority(settings: Settings) -> PriorityPolicy:
    return PriorityPolicy.read(settings.policy.priority or STARTER_POLICY)
