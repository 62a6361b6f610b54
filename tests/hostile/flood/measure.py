"""Latency and failures of ordinary clients during an attack, compared with the same run before it.

Ordinary clients send stored requests over persistent connections, requests over new connections, and gRPC calls, from
their own address and at a fixed rate, so a slow server does not reduce its own load.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc
import httpx2
import psutil

from bentos.grpc.frontdesk_pb2 import Query
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from tests.hostile.flood.attacker import attacking
from tests.support.loop_lag import lag_counts
from tests.support.serving import Server

ORDINARY_ADDRESS = "127.0.0.2"
REQUESTS_PER_S = 20
TIMEOUT_S = 10.0
TEXT = "Where is my parcel? It should have come on Monday."


@dataclass(slots=True)
class ClientResults:
    """Latencies of correct responses in seconds, and descriptions of all other results."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1] * 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attack on one server. Memory is the resident size of all its processes."""

    attack: str
    connections: int
    addresses: int
    before: ClientResults
    during: ClientResults
    memory_before_mb: float
    memory_peak_mb: float
    stall_s: float
    """The longest stall of an event loop during the attack: the upper end of its bucket."""
    stop_s: float

    @property
    def ratio(self) -> float:
        return self.during.p95_ms / self.before.p95_ms

    @property
    def memory_growth_mb(self) -> float:
        return self.memory_peak_mb - self.memory_before_mb

    def row(self) -> str:
        return (
            f"{self.attack:<18} {self.connections:>5} {self.addresses:>4} {len(self.during.seconds):>7} "
            f"{len(self.during.failures):>6} {self.before.p95_ms:>9.1f} {self.during.p95_ms:>9.1f} {self.ratio:>6.2f} "
            f"{self.memory_growth_mb:>+7.0f} {self.stall_s * 1000:>8.0f} {self.stop_s:>7.1f}"
        )


HEADER = "attack             conns addr answers failed p95 before    during  ratio     MB stall ms  stop s\n" + "-" * 91


async def measure(
    server: Server,
    attack: str,
    before: ClientResults,
    *,
    connections: int,
    addresses: int,
    attack_s: float,
    stop: bool = True,
) -> Outcome:
    """Attack a running server; if `stop`, end it with SIGTERM during the attack."""
    port = server.grpc_port if attack.startswith("grpc") else server.port
    memory_before, stop_s = _memory_mb(server), 0.0
    with attacking(attack, port, connections=connections, address_count=addresses, longest_s=attack_s + 60.0):
        peak = asyncio.create_task(_peak_memory_mb(server, attack_s))
        lag_before = await asyncio.to_thread(lag_counts, server)
        during = await ordinary(server, attack_s)
        stall_s = (await asyncio.to_thread(lag_counts, server)).since(lag_before).longest_s
        memory_peak = await peak
        if stop:
            started = time.monotonic()
            server.terminate()
            await asyncio.to_thread(server.process.wait, 60.0)
            stop_s = time.monotonic() - started
    return Outcome(attack, connections, addresses, before, during, memory_before, memory_peak, stall_s, stop_s)


async def ordinary(server: Server, seconds: float) -> ClientResults:
    """Send three kinds of requests in turn at a fixed rate; returns their results."""
    results = ClientResults()
    headers = {"authorization": f"Bearer {server.token()}"}
    transport = httpx2.AsyncHTTPTransport(local_address=ORDINARY_ADDRESS)
    async with (
        httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=TIMEOUT_S, transport=transport) as client,
        grpc.aio.insecure_channel(server.grpc_address) as channel,
    ):
        stub = FrontdeskServiceStub(channel)
        metadata = (("authorization", headers["authorization"]),)

        async def stored() -> None:
            response = await client.post("/v1/understand", json={"text": TEXT})
            assert response.status_code == 200, response.text

        async def new_connection() -> None:
            transport = httpx2.AsyncHTTPTransport(local_address=ORDINARY_ADDRESS)
            async with httpx2.AsyncClient(timeout=TIMEOUT_S, transport=transport) as once:
                response = await once.get(f"{server.url}/livez")
                assert response.status_code == 200, response.text

        async def call() -> None:
            await stub.Understand(Query(text=TEXT), metadata=metadata, timeout=TIMEOUT_S)

        kinds = (stored, new_connection, call)
        await stored()
        await call()
        tasks, started = [], time.monotonic()
        for index in range(int(seconds * REQUESTS_PER_S)):
            await asyncio.sleep(max(0.0, started + index / REQUESTS_PER_S - time.monotonic()))
            tasks.append(asyncio.create_task(_timed(kinds[index % len(kinds)], results)))
        await asyncio.gather(*tasks)
    return results


async def _timed(request: Callable[[], Awaitable[None]], results: ClientResults) -> None:
    started = time.perf_counter()
    try:
        await request()
    except Exception as error:  # noqa: BLE001 - each failure is a result
        results.failures.append(f"{request.__name__}: {type(error).__name__}: {str(error)[:200]}")
    else:
        results.seconds.append(time.perf_counter() - started)


def _memory_mb(server: Server) -> float:
    total = 0
    for process in server.processes():
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


async def _peak_memory_mb(server: Server, seconds: float) -> float:
    peak, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        peak = max(peak, await asyncio.to_thread(_memory_mb, server))
        await asyncio.sleep(0.5)
    return peak
