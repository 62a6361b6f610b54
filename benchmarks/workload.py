"""Requests of the benchmarks: the starter corpus in a fixed random order, every text once.

Lengths are those of real messages: a quarter has 2 to 6 words, half has one sentence, a fifth two or three, the rest
are e-mails of up to ten lines (median 81 characters, 95th percentile 177). Texts are distinct, so none can be cached.

`MIX` is used by locust and the mixed case of `benchmarks.serving`: mostly single messages without a reply, fewer with a
reply, and some batches, as from a ticket system that works off a backlog. All are stored, which is the default. Shares
are shares of requests; they are an assumption, not measured at a customer.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.examples import STARTER_CORPUS

UNDERSTAND, BATCH, QUERIES = "/v1/understand", "/v1/understand/batch", "/v1/queries"


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One kind of request: path, number of texts, and share of all requests."""

    name: str
    path: str
    texts: int
    share: float


MIX = (
    RequestKind("understand", UNDERSTAND, texts=1, share=0.60),
    RequestKind("answer", QUERIES, texts=1, share=0.35),
    RequestKind("batch", BATCH, texts=16, share=0.05),
)
TEXTS_PER_MIXED_REQUEST = sum(kind.share * kind.texts for kind in MIX)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST with a JSON body, and the messages in it."""

    path: str
    body: str
    texts: tuple[str, ...]


def messages(count: int, seed: int = 7) -> list[str]:
    """Return `count` distinct messages; beyond the size of the corpus, a number is appended to make them distinct."""
    texts = [
        json.loads(line)["text"]
        for file in sorted(STARTER_CORPUS.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    random.Random(seed).shuffle(texts)
    return [texts[index % len(texts)] + (f" {index}" if index >= len(texts) else "") for index in range(count)]


def build_request(path: str, texts: Sequence[str], *, store: bool) -> Request:
    """Build a request to `path`; several texts are allowed only for the batch path."""
    queries = [{"text": text, "store": store} for text in texts]
    body = {"queries": queries} if path == BATCH else queries[0]
    return Request(path, json.dumps(body), tuple(texts))


def build_requests(path: str, texts: Sequence[str], *, store: bool, texts_each: int = 1) -> list[Request]:
    """Build requests of all texts in order, `texts_each` per request; texts that do not fill the last are left out."""
    starts = range(0, len(texts) - texts_each + 1, texts_each)
    return [build_request(path, texts[start : start + texts_each], store=store) for start in starts]


def mix_requests(texts: Iterable[str], seed: int = 11) -> Iterator[Request]:
    """Yield requests in random order with the shares of `MIX`, until the texts are used up."""
    generator = random.Random(seed)
    remaining = iter(texts)
    shares = [kind.share for kind in MIX]
    while True:
        (kind,) = generator.choices(MIX, shares)
        batch = list(itertools.islice(remaining, kind.texts))
        if len(batch) < kind.texts:
            return
        yield build_request(kind.path, batch, store=True)


def write_requests(file: Path, requests: Iterable[Request]) -> Path:
    """Write one request per line for wrk and the gRPC client: path, tab, body. JSON has no raw tab or newline."""
    file.write_text("".join(f"{each.path}\t{each.body}\n" for each in requests), encoding="utf-8")
    return file
