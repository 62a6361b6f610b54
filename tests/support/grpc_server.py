"""The gRPC server in this process with fake dependencies, for tests of how it handles calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from prometheus_client import CollectorRegistry

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from bentos.grpc.grpc_server import GrpcServer, start_grpc
from bentos.worker.telemetry import Telemetry
from bentos.worker.worker_context import WorkerContext
from frontdesk.config import SecuritySettings, ServerSettings, Settings
from frontdesk.deadline import Deadline
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.errors import Overloaded
from frontdesk.masking.masked_message import mask_message_steps
from frontdesk.observability.metrics import Metrics
from frontdesk.pipeline import AnswerQuery
from frontdesk.security.authentication import Authenticator
from frontdesk.security.token_keys import SigningKey
from frontdesk.security.tokens import issue_token
from frontdesk.types import MaskedText, Understanding
from tests.support.fakes import FakeChampion, FakeCustomers, FakeKeys, FakeRecorder, FakeWriter, Unlimited
from tests.support.keyrings import Keyring
from tests.support.serving import free_port

KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
GATE = Authenticator(Keyring(KEY), SecuritySettings())


def to_http_form(message: pb.Answer) -> dict[str, Any]:
    """Convert an answer to the JSON form of the HTTP API, in which enum values have no prefix."""
    fields = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    fields["priority"]["level"] = fields["priority"]["level"].removeprefix("PRIORITY_LEVEL_").lower()
    decision = fields["decision"]
    decision["action"] = decision["action"].removeprefix("ACTION_").lower()
    decision["reasons"] = [reason.removeprefix("REASON_").lower() for reason in decision["reasons"]]
    if "act" in fields:
        fields["act"] = fields["act"].removeprefix("ACT_").lower()
    for part in fields.get("message", {}).get("parts", []):
        part["kind"] = part["kind"].removeprefix("PART_KIND_").lower()
    return fields


def bearer(scopes: Iterable[str] = ("understand", "answer")) -> tuple[str, str]:
    token = issue_token(KEY, SecuritySettings(), subject="tester", tenant="acme", scopes=scopes, ttl_s=600)
    return "authorization", f"Bearer {token}"


@dataclass
class FakeModels(FakeChampion):
    """A `FakeChampion` that answers after `delay_s`, is overloaded (`full`), or raises `defect`."""

    delay_s: float = 0.0
    full: bool = False
    defect: Exception | None = None
    deadlines: list[Deadline] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def check_room(self, *, bulk: bool = False) -> None:
        if self.full:
            raise Overloaded("Too much is waiting.", retry_after_s=1.5)

    async def understand(
        self, texts: Sequence[MaskedText], deadline: Deadline, *, tenant: str = "", fresh: bool = False
    ) -> Sequence[Understanding]:
        self.deadlines.append(deadline)
        self.fresh.append(fresh)
        self.reading.set()
        if self.defect is not None:
            raise self.defect
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return await super().understand(texts, deadline, fresh=fresh)


@dataclass
class FakeWorker:
    """The parts of a worker context that the gRPC server uses."""

    champion: FakeModels = field(default_factory=FakeModels)
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    keys: FakeKeys = field(default_factory=FakeKeys)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    authenticator: Authenticator = GATE
    limits: Any = field(default_factory=Unlimited)

    def __post_init__(self) -> None:
        self.pipeline = AnswerQuery(
            mask_steps=mask_message_steps,
            champion=self.champion,
            customers=FakeCustomers(),
            priority=PriorityPolicy.read(STARTER_POLICY),
            max_plausible_to_clarify=3,
            writer=FakeWriter(),
            recorder=self.recorder,
            keys=self.keys,
            observe=self.metrics.observe_answer,
        )

    @property
    def models(self) -> FakeWorker:
        return self

    storage = security = models
    refuse = WorkerContext.refuse

    @property
    def telemetry(self) -> Telemetry:
        return Telemetry(metrics=self.metrics, access_log=True)

    def counted(self) -> str:
        """The metrics in Prometheus' text format."""
        return self.metrics.render()[0].decode()


@dataclass
class GrpcFixture:
    """A running gRPC server with a channel to it."""

    worker: FakeWorker
    server: GrpcServer
    address: str
    channel: grpc.aio.Channel

    @property
    def stub(self) -> FrontdeskServiceStub:
        return FrontdeskServiceStub(self.channel)


@contextlib.asynccontextmanager
async def serve_grpc(worker: FakeWorker, **limits: Any) -> AsyncIterator[GrpcFixture]:
    port = free_port()
    settings = Settings(home=Path("/nonexistent"), server=ServerSettings(**limits))
    server = await start_grpc(worker, settings, port)
    address = f"127.0.0.1:{port}"
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            yield GrpcFixture(worker, server, address, channel)
        finally:
            await server.stop(0.0)
