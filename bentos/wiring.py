"""Where the parts are put together: settings in, a working desk out. One desk a process.

Everything that the pipeline needs is made here and handed to it; nothing else makes anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

import frontdesk
from bentos.audit import Auditor
from bentos.deliveries import open_outbox
from bentos.errors import problem_response
from bentos.inventory import Inventory
from bentos.limits import open_limits
from bentos.local_llm import local_settings, prepare_local
from frontdesk.config import LlmSettings, Settings
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.errors import FrontdeskError, StorageUnavailable
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.observability.metrics import Metrics
from frontdesk.pipeline import AnswerQuery, Writer
from frontdesk.responses import providers
from frontdesk.responses.knowledge import STARTER_KNOWLEDGE, Knowledge
from frontdesk.responses.llm import OpenAiClient
from frontdesk.responses.policy import STARTER_REPLIES, ReplyPolicy
from frontdesk.responses.prompt import STARTER_PROMPT, Prompt
from frontdesk.responses.reply_cache import CachedReplies, ReplyCache
from frontdesk.responses.writer import ModelWriter, TemplateWriter
from frontdesk.security.audit import audit_key
from frontdesk.security.fingerprints import fingerprint_key
from frontdesk.security.gate import Gate
from frontdesk.security.jwks import IssuerKeys
from frontdesk.security.keys import KeyFolder
from frontdesk.security.masking import mask
from frontdesk.security.rate_limit import RateLimits
from frontdesk.security.sealing import Seal, open_seal
from frontdesk.security.tokens import Keys
from frontdesk.storage.archive import Archive
from frontdesk.storage.audit_trail import AuditTrail
from frontdesk.storage.cache import LruCache, RedisCache
from frontdesk.storage.customers import SqlCustomers
from frontdesk.storage.database import migrate, open_database, reading
from frontdesk.storage.dispatcher import Dispatcher
from frontdesk.storage.idempotency import IdempotencyKeys
from frontdesk.storage.outbox_care import OutboxCare
from frontdesk.storage.recorder import Patience, SpoolingRecorder
from frontdesk.storage.redis_client import RedisInTime
from frontdesk.storage.redis_customers import RedisCustomers
from frontdesk.storage.rows import COMMITTED, SPOOLED, RowMaker
from frontdesk.storage.spool import Spool
from frontdesk.storage.sql.records import find_answer
from frontdesk.types import Caller
from model_store.bundle import Bundle
from model_store.promotion import champion_path
from model_store.signature import open_signed
from runners.champion import BatchedChampion
from runners.models.encoder import Precision
from runners.models.provider import Provider
from runners.models.session import check_runtime, find_provider
from runners.placement import check_placement, connect
from runners.rehearsal import rehearse
from runners.schedule import Limits
from runners.warm_up import open_warm

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


@dataclass(frozen=True, slots=True)
class Desk:
    """One worker's parts, opened and warm."""

    pipeline: AnswerQuery
    champion: BatchedChampion
    gate: Gate
    limits: RateLimits
    metrics: Metrics
    engine: Engine
    recorder: SpoolingRecorder
    spool: Spool
    seal: Seal
    customers: SqlCustomers
    redis: RedisInTime | None
    outbox: Dispatcher | None
    auditor: Auditor
    inventory: Inventory
    language_model: OpenAiClient | None
    archive: Archive

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

    async def find_answer(self, caller: Caller, query_id: str) -> bytes | None:
        """A stored answer as JSON, or None where this tenant has none of that id."""

        def read() -> bytes | None:
            with reading(self.engine) as connection:
                return find_answer(connection, caller.tenant, query_id)

        if self.recorder.is_spooling:
            raise StorageUnavailable("The database is away.", hint="Try again later.")
        try:
            return await asyncio.to_thread(read)
        except SQLAlchemyError as error:
            raise StorageUnavailable(
                f"The record could not be read ({type(error).__name__}).", hint="Try again later."
            ) from None

    async def storage(self) -> dict[str, object] | None:
        """Where answers are kept just now and how many wait in the spool; None where the spool cannot be read."""
        try:
            waiting, refused = await asyncio.to_thread(self.spool.backlog)
        except SQLAlchemyError:
            return None
        kept = SPOOLED if self.recorder.is_spooling else COMMITTED
        return {"storage": kept, "spool_waiting": waiting, "spool_refused": refused}

    async def close(self) -> None:
        """Finish what was accepted: models first, then the record of what they said."""
        await self.champion.close()
        if self.language_model is not None:
            await self.language_model.close()
        await asyncio.to_thread(self.recorder.close)
        self.spool.close()
        self.customers.close()
        if self.redis is not None:
            await self.redis.close()
        if self.outbox is not None:
            await asyncio.to_thread(self.outbox.close)
        self.engine.dispose()


def open_desk(settings: Settings, runners: Mapping[str, str | None] | None = None, place: int = 0) -> Desk:
    """Open every part and warm the models up. Blocks for a few seconds.

    Args:
        settings: all of them.
        runners: the addresses, by name, of the services that `model.placement` needs. Without any, all models are held
            here whatever the placement: the command line has no services.
        place: which of the workers this is, from 0.

    Raises:
        FrontdeskError: naming the part that cannot be opened and what to do.
    """
    path = served_bundle(settings)
    provider = _provider(settings, runners)
    metrics = Metrics()
    champion = _champion(settings, path, provider, runners, metrics)
    if champion.precisions:
        _log.info("Encoders run on %s (%s).", provider.name, provider.because)
    inventory = Inventory.of(
        path,
        settings.bundles,
        placement=settings.model.placement if runners else "embedded",
        threads=settings.model.onnx_threads,
        provider=provider,
        precisions=champion.precisions,
    )
    metrics.set_model(champion.version)
    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    spool, seal = Spool.open(settings.home), open_seal(settings.keys)
    outbox = open_outbox(settings, engine, spool, metrics)
    auditor = open_auditor(settings, engine)
    recorder = _recorder(settings, engine, spool, seal, metrics, outbox, auditor)
    redis = _redis(settings)
    customers = SqlCustomers(engine, timeout_s=settings.storage.history_timeout_s)  # asked only where there is no Redis
    language_model = _language_model(settings)
    pipeline = AnswerQuery(
        mask=mask,
        champion=champion,
        customers=RedisCustomers(redis) if redis else customers,
        priority=_priority(settings),
        max_plausible_to_clarify=settings.policy.max_plausible_to_clarify,
        writer=_writer(settings, language_model, _reply_cache(settings, redis)),
        recorder=recorder,
        keys=_keys(settings, recorder, spool, seal, metrics),
        observe=metrics.observe_answer,
    )
    gate = Gate(token_keys(settings), settings.security)
    limits = open_limits(settings, metrics, place)
    archive = Archive(engine, settings.sinks, fingerprint_key(settings.keys).fingerprint)
    return Desk(
        pipeline,
        champion,
        gate,
        limits,
        metrics,
        engine,
        recorder,
        spool,
        seal,
        customers,
        redis,
        outbox,
        auditor,
        inventory,
        language_model,
        archive,
    )


def prepare(settings: Settings) -> tuple[Bundle, Precision]:
    """What is done once before workers start: check every part that they will open, make what is made on first run.

    A server with a part that cannot be opened must refuse to start, not start workers that die again and again.

    Returns:
        The verified bundle that every worker shall serve, and the precision in which it reproduced its golden rows.

    Raises:
        FrontdeskError: naming what is wrong and what to do.
    """
    check_runtime()
    bundle = trusted_bundle(settings)
    check_placement(settings.model.placement, bundle.manifest)
    model = settings.model
    precision = rehearse(
        bundle.path,
        model.onnx_threads,
        provider=model.provider,
        precision=model.precision,
        engines=settings.engines,
    )
    _priority(settings)
    _knowledge(settings)
    fingerprint_key(settings.keys)
    audit_key(settings.keys)
    token_keys(settings)
    open_seal(settings.keys)
    Spool.open(settings.home).close()
    if settings.responses.provider == "local":
        prepare_local(settings)
    if (llm := llm_settings(settings)) is not None:
        providers.check(llm)
    migrate(settings.database_url)
    return bundle, precision


def token_keys(settings: Settings) -> Keys:
    """What verifies tokens: this machine's own keys, made on first run, or those of the issuer elsewhere."""
    security = settings.security
    if security.jwks is None:
        return KeyFolder(settings.keys)
    return IssuerKeys(
        security.jwks,
        security.algorithm,
        settings.keys,
        max_age_s=security.jwks_max_age_s,
        max_stale_s=security.jwks_max_stale_s,
    )


def llm_settings(settings: Settings) -> LlmSettings | None:
    """Where the language model is, or None where replies need none."""
    if settings.responses.provider == "template":
        return None
    return local_settings(settings) if settings.responses.provider == "local" else settings.llm


def _language_model(settings: Settings) -> OpenAiClient | None:
    llm = llm_settings(settings)
    if llm is None:
        return None
    _, model = providers.named(llm)
    return providers.openai_client(llm, LanguageModelMetrics(model))


def _provider(settings: Settings, runners: Mapping[str, str | None] | None) -> Provider:
    """Where the encoders of this process run; a process without any leaves the GPU to the one that has them."""
    if runners:
        return Provider("cpu", "the encoders are in another process")
    return find_provider(settings.model.provider, settings.engines)


def _champion(
    settings: Settings, path: Path, provider: Provider, runners: Mapping[str, str | None] | None, metrics: Metrics
) -> BatchedChampion:
    """The golden rows run as every request will: through the services of the placement."""
    model = settings.model
    bundle = open_signed(path, settings.keys, settings.security.bundle_keys)
    elsewhere = connect(
        "embedded" if runners is None else model.placement,
        bundle.manifest,
        runners or {},
        timeout_s=settings.server.request_timeout_s,
        start_timeout_s=model.runner_start_timeout_s,
    )
    ensemble = open_warm(bundle, model.onnx_threads, provider=provider, precision=model.precision, elsewhere=elsewhere)
    limits = Limits(model.max_batch_texts, model.max_waiting_texts, model.max_batch_tokens, model.max_wait_s)
    return BatchedChampion(ensemble, limits, cached_texts=model.cached_texts, observe_cache=metrics.observe_cache)


def open_auditor(settings: Settings, engine: Engine) -> Auditor:
    """With a chain of its own for this process."""
    key = audit_key(settings.keys)
    return Auditor(engine, AuditTrail(key.link), key)


def _recorder(
    settings: Settings,
    engine: Engine,
    spool: Spool,
    seal: Seal,
    metrics: Metrics,
    outbox: Dispatcher | None,
    auditor: Auditor,
) -> SpoolingRecorder:
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


def _redis(settings: Settings) -> RedisInTime | None:
    redis = settings.redis
    return None if redis.url is None else RedisInTime(redis.url, timeout_s=redis.timeout_s)


def _keys(
    settings: Settings, recorder: SpoolingRecorder, spool: Spool, seal: Seal, metrics: Metrics
) -> IdempotencyKeys:
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


def _priority(settings: Settings) -> PriorityPolicy:
    return PriorityPolicy.read(settings.policy.priority or STARTER_POLICY)


def _writer(settings: Settings, language_model: OpenAiClient | None, cache: ReplyCache | None) -> Writer:
    """The template's alone, or the one that asks the language model."""
    writer = TemplateWriter(_knowledge(settings))
    llm = llm_settings(settings)
    if language_model is None or llm is None:
        return writer
    _, model = providers.named(llm)
    prompt, policy, provider = Prompt.read(STARTER_PROMPT), _reply_policy(settings), settings.responses.provider
    versions = (
        frontdesk.__version__,
        prompt.hash,
        policy.digest,
        writer.templates.retrieval.knowledge.digest,
        provider,
        model,
    )
    return ModelWriter(writer.templates, language_model, provider, prompt, policy, CachedReplies(cache, versions))


def _reply_cache(settings: Settings, redis: RedisInTime | None) -> ReplyCache | None:
    """Shared by all workers where there is a Redis, else this one's own."""
    entries = settings.responses.cached_replies
    if entries == 0:
        return None
    return RedisCache(redis) if redis else LruCache(entries)


def _reply_policy(settings: Settings) -> ReplyPolicy:
    return ReplyPolicy.read(settings.policy.replies or STARTER_REPLIES)


def _knowledge(settings: Settings) -> Knowledge:
    return Knowledge.read(settings.responses.knowledge or STARTER_KNOWLEDGE)


def served_bundle(settings: Settings) -> Path:
    """The bundle to serve: the one that settings (or the serving master) name, else the champion."""
    return settings.model.bundle or champion_path(settings.bundles)


def trusted_bundle(settings: Settings) -> Bundle:
    """The bundle to serve, verified, and signed by a machine that is trusted.

    Raises:
        BundleError: naming what is wrong and what to do.
    """
    return open_signed(served_bundle(settings), settings.keys, settings.security.bundle_keys)
