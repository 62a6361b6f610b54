"""CPU of each layer of `/v1/understand`, measured separately in one process without a network.

    python -m benchmarks.layers [--messages 640]

Method: the champion of this machine (or FRONTDESK_MODEL__BUNDLE) in the objects of a real worker, a private home, and
the texts of `benchmarks.workload`. CPU is that of all threads of this process, per message; values are medians of
`ROUNDS` rounds. Models and features run 32 texts at a time, as in a busy server, and one at a time, as in an idle
server. The queue is measured with a model that does nothing. The record is committed to SQLite on the real disk (CPU is
counted, waiting is not). "gateway and framework" is the CPU of a whole request through the gateway and FastAPI without
the layers between them. Sockets, HTTP parsing and cold caches are not measured here, but in
`benchmarks.serving_overhead`.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the master process sets it for workers

import uvloop

from benchmarks.results import argument_parser, print_result, print_table
from benchmarks.workload import messages
from bentos.gateway.app import build_app, render_answer
from bentos.gateway.http_gateway import Gateway
from bentos.schemas.queries import QueryIn, parse
from bentos.wiring.model import open_trusted_bundle
from bentos.wiring.worker import open_worker
from bentos.worker.worker_context import WorkerContext
from frontdesk.config import Settings, load_settings
from frontdesk.deadline import Deadline
from frontdesk.masking.masked_message import MaskedMessage, mask_message
from frontdesk.messages.limits import parse_message
from frontdesk.observability.logs import configure_logging, log_access
from frontdesk.security.token_keys import load_signing_key
from frontdesk.security.tokens import issue_token
from frontdesk.types import Answer, Caller, IncomingMessage, MaskedText, Query, Understanding
from model_store.signature import load_signer
from runners.batching.batcher import Batcher
from runners.batching.scheduler import BatchLimits
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble

ROUNDS = 5
BATCH_TEXTS = 32
CALLER = Caller("default", "benchmark", frozenset({"understand"}))


class PrecomputedModels:
    """A champion with precomputed results, to measure everything except the models."""

    def __init__(self, worker: WorkerContext, understandings: dict[str, Understanding]) -> None:
        self.version = worker.models.champion.version
        self.taxonomy = worker.models.champion.taxonomy
        self._understandings = understandings

    async def understand(self, texts: Sequence[MaskedText], _: Deadline, **__: bool) -> list[Understanding]:
        return [self._understandings[text.text] for text in texts]


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--messages", type=int, default=640)
    texts = messages(parser.parse_args().messages)
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings()
        bundle = open_trusted_bundle(settings)
        signed = settings.security.model_copy(
            update={"bundle_keys": (*settings.security.bundle_keys, load_signer(settings.keys).public)}
        )
        model = settings.model.model_copy(update={"bundle": bundle.path})
        settings = settings.model_copy(update={"security": signed, "home": Path(home), "model": model})
        ensemble = load_warm_ensemble(bundle, settings.model.onnx_threads)
        with Path(os.devnull).open("w") as devnull, redirect_stdout(devnull), redirect_stderr(devnull):
            rows = measure(settings, ensemble, texts)
    columns = (("layer", "layer", ""), ("ms", "ms", ".4f"))
    table_rows = [{"layer": layer, "ms": milliseconds} for layer, milliseconds in rows.items()]
    print_table(f"CPU per message in ms, bundle {ensemble.version}", columns, table_rows)
    print_result("layers", {"messages": len(texts), "rounds": ROUNDS, "rows": rows})


def measure(settings: Settings, ensemble: Ensemble, texts: Sequence[str]) -> dict[str, float]:
    """CPU milliseconds per message by layer."""
    worker = open_worker(settings)
    token = issue_token(
        load_signing_key(settings.keys),
        settings.security,
        subject="b",
        tenant="default",
        scopes=("understand",),
        ttl_s=3600,
    )
    bodies = [json.dumps({"text": text, "store": False}).encode() for text in texts]
    parsed = [parse_message(IncomingMessage(text)) for text in texts]
    masked = [mask_message(message) for message in parsed]
    masked_texts = [message.own.text for message in masked]
    chunks = [masked_texts[start : start + BATCH_TEXTS] for start in range(0, len(masked_texts), BATCH_TEXTS)]
    understandings = {
        text: understanding
        for chunk in chunks
        for text, understanding in zip(chunk, ensemble.understand(chunk), strict=True)
    }
    queries = [Query(text) for text in texts]
    configure_logging(settings.observability.log_level)
    with closing(uvloop.new_event_loop()) as loop:

        def cost_of_each(work: Callable[[Any], Any], items: Sequence[Any]) -> float:
            return _cpu_ms(lambda: [work(item) for item in items], len(texts))

        def cost_of_concurrent(work: Callable[[Any], Awaitable[Any]], items: Sequence[Any], concurrency: int) -> float:
            return _cpu_ms(lambda: loop.run_until_complete(_closed_loop(work, items, concurrency)), len(texts))

        cost_ms = {
            "parse": cost_of_each(lambda body: parse(QueryIn, body).query(), bodies),
            "message": cost_of_each(lambda text: parse_message(IncomingMessage(text)), texts),
            "authentication": cost_of_concurrent(
                lambda _: worker.security.authenticator.authenticate(f"Bearer {token}", "understand"), texts, 1
            ),
            "masking": cost_of_each(mask_message, parsed),
            "features, 32 together": cost_of_each(ensemble.features.extract, chunks),
            "models and features, 32 together": cost_of_each(ensemble.understand, chunks),
            "models and features, alone": cost_of_each(lambda text: ensemble.understand([text]), masked_texts),
        }
        queue: Batcher[str, str] = Batcher(list, BatchLimits(BATCH_TEXTS, 512))
        submit = _submit_to(queue)
        cost_ms |= {
            f"queue, {concurrency} in flight": cost_of_concurrent(submit, masked_texts, concurrency)
            for concurrency in (1, BATCH_TEXTS)
        }
        loop.run_until_complete(queue.close())
        worker.models.pipeline.champion = PrecomputedModels(worker, understandings)  # type: ignore[assignment]  # a substitute for this benchmark
        answers = [
            loop.run_until_complete(
                worker.models.pipeline.understand(Query(text, store=False), CALLER, Deadline.after(60))
            )
            for text in texts
        ]
        cost_ms["decision"] = _cpu_ms(lambda: _decide_all(worker, queries, masked, understandings), len(texts))
        cost_ms |= {
            f"record, {concurrency} in flight": cost_of_concurrent(_answer_with(worker), queries, concurrency)
            - cost_of_concurrent(_answer_with(worker, store=False), queries, concurrency)
            for concurrency in (1, BATCH_TEXTS)
        }
        cost_ms["render"] = cost_of_each(render_answer, answers)
        cost_ms["metrics and access log"] = _cpu_ms(
            lambda: [_record_metrics(worker, answer) for answer in answers], len(texts)
        )
        gateway = Gateway(
            api=build_app(_fail_if_called),
            native=_fail_if_called,
            open_inference=_fail_if_called,
            worker=lambda: worker,
            settings=settings.server,
        )
        whole = cost_of_concurrent(_post_to(gateway, token), bodies, 1)
        measured_layers = (
            "parse",
            "message",
            "authentication",
            "masking",
            "decision",
            "render",
            "metrics and access log",
        )
        cost_ms["gateway and framework"] = whole - sum(cost_ms[layer] for layer in measured_layers)
        loop.run_until_complete(worker.close())
    return cost_ms


def _cpu_ms(work: Callable[[], Any], message_count: int) -> float:
    """Median CPU milliseconds of this process per message."""
    costs_ms = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        costs_ms.append((time.process_time() - before) * 1000 / message_count)
    return median(costs_ms)


async def _closed_loop(work: Callable[[Any], Awaitable[Any]], items: Sequence[Any], concurrency: int) -> None:
    remaining = iter(items)

    async def caller() -> None:
        for item in remaining:
            await work(item)

    await asyncio.gather(*(caller() for _ in range(concurrency)))


def _submit_to(queue: Batcher[str, str]) -> Callable[[str], Awaitable[Any]]:
    return lambda text: queue.submit([text], Deadline.after(60))


def _answer_with(worker: WorkerContext, *, store: bool = True) -> Callable[[Query], Awaitable[Any]]:
    return lambda query: worker.models.pipeline.understand(Query(query.text, store=store), CALLER, Deadline.after(60))


def _decide_all(
    worker: WorkerContext,
    queries: Sequence[Query],
    masked: Sequence[MaskedMessage],
    understandings: dict[str, Understanding],
) -> list[Answer]:
    pipeline = worker.models.pipeline
    return [
        pipeline.apply_policy(pipeline.champion, query, message, understandings[message.own.text], None)
        for query, message in zip(queries, masked, strict=True)
    ]


def _record_metrics(worker: WorkerContext, answer: Answer) -> None:
    worker.telemetry.metrics.observe_answer(answer)
    worker.telemetry.metrics.observe_request("/v1/understand", "POST", 200, 0.01)
    _log_request(answer.query_id)


def _post_to(gateway: Gateway, token: str) -> Callable[[bytes], Awaitable[None]]:
    path = "/v1/understand"
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]

    async def post(body: bytes) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message.get("status", 200) != 200:
                raise RuntimeError(f"the gateway answered {message['status']}")

        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": headers,
            "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 0), "http_version": "1.1",
        }  # fmt: skip
        await gateway(scope, receive, send)  # type: ignore[arg-type]  # Starlette's messages are mutable mappings

    return post


def _log_request(request_id: str) -> None:
    log_access(
        method="POST", route="/v1/understand", status=200, duration_ms=1.0, request_id=request_id, tenant="default",
        subject="benchmark", client="127.0.0.1", bytes_in=100, bytes_out=1000,
    )  # fmt: skip


def _fail_if_called(*_: Any) -> Any:
    raise AssertionError("not called in this benchmark")


if __name__ == "__main__":
    main()
