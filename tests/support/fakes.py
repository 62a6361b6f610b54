"""Minimal fakes of the pipeline's dependencies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from frontdesk.deadline import Deadline
from frontdesk.errors import StorageUnavailable
from frontdesk.features.customer_history import CustomerHistory
from frontdesk.responses.text.normalization import split_sentences
from frontdesk.scores import Floats
from frontdesk.security.rate_limit import UNLIMITED, RateLimitResult
from frontdesk.taxonomy import IntentPolicy, Taxonomy
from frontdesk.types import (
    Caller,
    Candidate,
    Claim,
    EarlierAnswer,
    Intent,
    MaskedText,
    MemberOpinion,
    Query,
    Record,
    Reply,
    ReplyRequest,
    Sentence,
    Sentiment,
    Uncertainty,
    Understanding,
    WrittenReply,
)


def understanding(label: str = "track_order", confidence: float = 0.9) -> Understanding:
    return Understanding(
        intent=Intent(label, confidence, (Candidate(label, confidence),), True, round(1 - confidence, 4)),
        sentiment=Sentiment("neutral", 0.8, {"negative": 0.1, "neutral": 0.8, "positive": 0.1}),
        uncertainty=Uncertainty(0.2, 0.1, 0.1, "member_disagreement"),
        members=(MemberOpinion("logistic_regression", label, confidence),),
        plausible=(Candidate(label, confidence),),
        automation_threshold=None,
    )


@dataclass
class FakeChampion:
    """Predicts track_order for every text and records the texts."""

    version: str = "fake-1"
    taxonomy: Taxonomy = field(default_factory=lambda: Taxonomy((IntentPolicy("track_order", automate=True),), {}))
    texts: list[str] = field(default_factory=list)

    async def understand(
        self, texts: Sequence[MaskedText], deadline: Deadline, *, tenant: str = "", fresh: bool = False
    ) -> Sequence[Understanding]:
        self.texts.extend(text.text for text in texts)
        return [understanding() for _ in texts]

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        pass


class Unlimited:
    """A rate limiter without limits."""

    async def consume(self, _: Caller) -> RateLimitResult:
        return UNLIMITED


class NoEmbedding:
    """Embeds every text as a zero vector."""

    def embed(self, _: str) -> Floats:
        return np.zeros(1, dtype=np.float32)


class FakeWriter:
    """Writes a reply that repeats the masked text."""

    async def write(self, request: ReplyRequest, *_: object) -> AsyncGenerator[Sentence | WrittenReply, None]:
        text = f"About {request.text.text}"
        for sentence in split_sentences(text):
            yield Sentence(sentence)
        yield WrittenReply(Reply(text, "fake", ()), request.decision)


@dataclass
class FailingWriter:
    """Yields one sentence, then raises `defect`."""

    defect: Exception

    async def write(self, *_: object) -> AsyncGenerator[Sentence | WrittenReply, None]:
        yield Sentence("We are looking into it. ")
        raise self.defect


@dataclass
class FakeRecorder:
    """Stores records in a list, or is unavailable."""

    records: list[Record] = field(default_factory=list)
    unavailable: bool = False

    async def store(self, record: Record) -> str:
        if self.unavailable:
            raise StorageUnavailable("The database is away.")
        self.records.append(record)
        return "committed"


@dataclass
class FakeCustomers:
    """Returns fixed histories by customer; unavailable if `histories` is None."""

    histories: Mapping[str, CustomerHistory] | None = field(default_factory=dict)

    async def load_histories(self, *_: object) -> Mapping[str, CustomerHistory] | None:
        return self.histories


@dataclass
class FakeKeys:
    """Grants every claim, or returns `earlier`. Records claims and releases."""

    earlier: EarlierAnswer | None = None
    claimed: list[str] = field(default_factory=list)
    released: list[Claim] = field(default_factory=list)

    async def acquire(self, key: str, operation: str, query: Query, caller: Caller) -> Claim | EarlierAnswer:
        self.claimed.append(key)
        return self.earlier or Claim(f"claim-{len(self.claimed)}", key, operation, "committed")

    def release(self, claim: Claim, caller: Caller) -> None:
        self.released.append(claim)
