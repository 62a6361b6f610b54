"""The order in which a worker closes its parts."""

from __future__ import annotations

from typing import Any

from bentos.worker.telemetry import Telemetry
from bentos.worker.worker_context import ModelParts, SecurityParts, StorageParts, WorkerContext


class Part:
    """Records its name when it is closed."""

    def __init__(self, name: str, closed: list[str]) -> None:
        self.name = name
        self.closed = closed

    def close(self) -> None:
        self.closed.append(self.name)

    dispose = close


class AsyncPart(Part):
    async def close(self) -> None:  # type: ignore[override]  # some parts are closed on the event loop
        self.closed.append(self.name)


def worker(closed: list[str], redis: Any) -> WorkerContext:
    part: Any = lambda name: Part(name, closed)  # noqa: E731 - stands for every type of part
    models: Any = {"pipeline": None, "inventory": None}
    storage: Any = {"keys": None, "query_history": None, "disk_space": None, "redis": redis}
    security: Any = {"authenticator": None, "limits": None, "field_cipher": None, "auditor": None}
    writers = ("engine", "recorder", "spool", "customers", "outbox", "erasure_follower", "retention")
    awaited: Any = AsyncPart
    return WorkerContext(
        models=ModelParts(
            champion=awaited("champion", closed), language_model=awaited("language_model", closed), **models
        ),
        storage=StorageParts(**{name: part(name) for name in writers}, **storage),
        security=SecurityParts(
            **{name: part(name) for name in ("checkpoints", "audit_counts", "revocations")}, **security
        ),
        telemetry=Telemetry(metrics=part("metrics"), access_log=False),
    )


async def test_answers_are_recorded_before_the_audit_log_is_signed_and_connections_close_last() -> None:
    closed: list[str] = []
    await worker(closed, AsyncPart("redis", closed)).close()
    assert closed == [
        "champion", "language_model", "erasure_follower", "retention", "recorder",
        "revocations", "audit_counts", "checkpoints", "spool", "customers", "redis", "outbox", "engine",
    ]  # fmt: skip


async def test_parts_that_are_not_there_are_not_closed() -> None:
    closed: list[str] = []
    await worker(closed, None).close()
    assert "redis" not in closed
