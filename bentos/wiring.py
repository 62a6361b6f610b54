"""Where the parts are put together: settings in, a working desk out. One desk a process.

Everything that the pipeline needs is made here and handed to it; nothing else makes anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.config import Settings
from frontdesk.decision.priority import PriorityPolicy
from frontdesk.errors import StorageUnavailable
from frontdesk.observability.metrics import Metrics
from frontdesk.pipeline import AnswerQuery
from frontdesk.responses.knowledge import Knowledge
from frontdesk.responses.writer import TemplateWriter
from frontdesk.security.gate import Gate
from frontdesk.security.keys import signing_key
from frontdesk.security.masking import mask
from frontdesk.storage.database import migrate, open_database, reading
from frontdesk.storage.queries import find_answer, ping
from frontdesk.storage.recorder import GroupCommit
from frontdesk.types import Caller
from model_store.bundle import Bundle, open_bundle
from model_store.promotion import champion_path
from runners.champion import EmbeddedChampion
from runners.models.session import check_runtime

PACKAGE = Path(__file__).resolve().parent.parent / "frontdesk"


@dataclass(frozen=True, slots=True)
class Desk:
    """One worker's parts, opened and warm."""

    pipeline: AnswerQuery
    champion: EmbeddedChampion
    gate: Gate
    metrics: Metrics
    engine: Engine
    recorder: GroupCommit

    async def find_answer(self, caller: Caller, query_id: str) -> bytes | None:
        """A stored answer as JSON, or None where this tenant has none of that id."""

        def read() -> bytes | None:
            with reading(self.engine) as connection:
                return find_answer(connection, caller.tenant, query_id)

        try:
            return await asyncio.to_thread(read)
        except SQLAlchemyError as error:
            raise StorageUnavailable(
                f"The record could not be read ({type(error).__name__}).", hint="Try again later."
            ) from None

    async def storage_ready(self) -> bool:
        """Does the database answer?"""

        def ask() -> bool:
            with reading(self.engine) as connection:
                return ping(connection)

        try:
            return await asyncio.to_thread(ask)
        except SQLAlchemyError:
            return False

    async def close(self) -> None:
        """Finish what was accepted: models first, then the record of what they said."""
        await self.champion.close()
        await asyncio.to_thread(self.recorder.close)
        self.engine.dispose()


def open_desk(settings: Settings) -> Desk:
    """Open every part and warm the models up. Blocks for a few seconds.

    Raises:
        FrontdeskError: naming the part that cannot be opened and what to do.
    """
    champion = EmbeddedChampion(
        served_bundle(settings),
        threads=settings.model.onnx_threads,
        max_batch=settings.model.max_batch_texts,
        max_waiting=settings.model.max_waiting_texts,
    )
    metrics = Metrics()
    metrics.set_model(champion.version)
    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    recorder = GroupCommit(
        engine,
        max_rows_per_commit=settings.storage.max_rows_per_commit,
        commit_timeout_s=settings.storage.commit_timeout_s,
    )
    knowledge = Knowledge.read(settings.responses.knowledge or PACKAGE / "knowledge")
    descriptions = {intent.name: intent.description for intent in champion.taxonomy.intents}
    pipeline = AnswerQuery(
        mask=mask,
        champion=champion,
        priority=PriorityPolicy.read(settings.policy.priority or PACKAGE / "policy" / "priority.yaml"),
        max_plausible_to_clarify=settings.policy.max_plausible_to_clarify,
        writer=TemplateWriter(knowledge, descriptions),
        recorder=recorder,
        observe=metrics.observe_answer,
    )
    gate = Gate(signing_key(settings.keys), settings.security)
    return Desk(pipeline, champion, gate, metrics, engine, recorder)


def prepare(settings: Settings) -> Bundle:
    """What is done once before workers start: check the parts that all share, make what is made on first run.

    Returns:
        The verified bundle that every worker shall serve.

    Raises:
        FrontdeskError: naming what is wrong and what to do.
    """
    check_runtime()
    bundle = open_bundle(served_bundle(settings))
    signing_key(settings.keys)
    migrate(settings.database_url)
    return bundle


def served_bundle(settings: Settings) -> Path:
    """The bundle to serve: the one that settings (or the serving master) name, else the champion."""
    return settings.model.bundle or champion_path(settings.bundles)
