"""Simulated users (locust) that send the request mix of `benchmarks.workload` over HTTP and gRPC.

    make bench-locust
    locust -f benchmarks/locustfile.py        (then http://127.0.0.1:8089; needs a running server)

Method: three of four users use HTTP, one uses gRPC. Each sends requests of `MIX` one after another, with a pause of 0.5
to 1.5 s, like people and ticket systems. Texts are distinct for each user, and all requests are stored. This shows
behaviour with many independent users, and failures by kind. It does not measure cost per request, because locust uses
more CPU per request than the server; use `benchmarks.serving` for that.

Environment variables: BENCHMARK_URL, BENCHMARK_GRPC_ADDRESS, BENCHMARK_TOKEN (`frontdesk token`).
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.experimental.gevent
from locust import FastHttpUser, User, between, task

from benchmarks.workload import BATCH, QUERIES, Request, messages, mix_requests
from bentos.grpc.frontdesk_pb2 import BatchRequest, Query
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub

grpc.experimental.gevent.init_gevent()  # gRPC's own threads would block locust's greenlets

HTTP_SHARE, GRPC_SHARE = 3, 1
TEXTS_PER_USER = 2000
TIMEOUT_S = 30.0
THINK_S = between(0.5, 1.5)

_numbers = itertools.count()


def request_stream() -> Iterator[Request]:
    """Endless requests of the mix; each user has a different order of the same texts."""
    number = next(_numbers)
    return itertools.cycle(mix_requests(messages(TEXTS_PER_USER, seed=number), seed=number))


def token() -> str:
    return f"Bearer {os.environ['BENCHMARK_TOKEN']}"


class HttpCustomer(FastHttpUser):
    """A user that sends requests over HTTP on one persistent connection."""

    weight = HTTP_SHARE
    host = os.environ.get("BENCHMARK_URL", "http://127.0.0.1:3000")
    wait_time = THINK_S
    network_timeout = connection_timeout = TIMEOUT_S

    def on_start(self) -> None:
        self.request_stream = request_stream()
        self.headers = {"Authorization": token(), "Content-Type": "application/json"}

    @task
    def send_request(self) -> None:
        request = next(self.request_stream)
        self.client.post(request.path, data=request.body, headers=self.headers)


class GrpcCustomer(User):
    """A user that sends the same requests over gRPC on one channel."""

    weight = GRPC_SHARE
    wait_time = THINK_S

    def on_start(self) -> None:
        self.request_stream = request_stream()
        own_connection = [("grpc.use_local_subchannel_pool", 1)]
        address = os.environ.get("BENCHMARK_GRPC_ADDRESS", "127.0.0.1:3001")
        self.channel = grpc.insecure_channel(address, options=own_connection)
        self.stub = FrontdeskServiceStub(self.channel)  # type: ignore[no-untyped-call]  # generated code has no types

    def on_stop(self) -> None:
        self.channel.close()

    @task
    def send_request(self) -> None:
        name, call, message = self._grpc_call(next(self.request_stream))
        error, length, started = None, 0, time.perf_counter()
        try:
            answer = call(message, metadata=(("authorization", token()),), timeout=TIMEOUT_S)
            length = answer.ByteSize()
        except grpc.RpcError as rpc_error:
            error = rpc_error
        self.environment.events.request.fire(
            request_type="gRPC",
            name=name,
            response_time=(time.perf_counter() - started) * 1000,
            response_length=length,
            exception=error,
            context={},
        )

    def _grpc_call(self, request: Request) -> tuple[str, Callable[..., Any], BatchRequest | Query]:
        body = json.loads(request.body)
        if request.path == BATCH:
            queries = [Query(**query) for query in body["queries"]]
            return "UnderstandBatch", self.stub.UnderstandBatch, BatchRequest(queries=queries)
        if request.path == QUERIES:
            return "Answer", self.stub.Answer, Query(**body)
        return "Understand", self.stub.Understand, Query(**body)
