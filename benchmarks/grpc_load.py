"""A closed loop over gRPC, as a process of its own: what wrk is for HTTP. Only the server's CPU of it is worth reading.

    python -m benchmarks.grpc_load --address HOST:PORT --requests FILE --results FILE --concurrency N --seconds S

Regime: `FrontdeskService.Understand` over one channel for every four requests in flight, each channel a connection of
its own: a client library keeps one, but a load balancer in front of many clients has many, and the workers of a server
share its port by connections. A Python client spends many times the CPU of wrk, on the same machine: latency measured
here is an upper bound and throughput a lower one. The token comes from BENCHMARK_TOKEN. Notes its answers as `wrk.lua`
does, with HTTP's status for OK, busy and everything else.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import uvloop

from bentos.grpc.frontdesk_pb2 import Query
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub

REQUESTS_A_CHANNEL = 4
STATUSES = {grpc.StatusCode.UNAVAILABLE: 503, grpc.StatusCode.RESOURCE_EXHAUSTED: 503}
OTHER_FAILURE = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--address", required=True)
    parser.add_argument("--requests", type=Path, required=True, help="lines of a path, a tab and a JSON body")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    wanted = parser.parse_args()
    bodies = [line.partition("\t")[2] for line in wanted.requests.read_text(encoding="utf-8").splitlines()]
    queries = [Query(**json.loads(body)) for body in bodies]
    lines = uvloop.run(_load(wanted.address, itertools.cycle(queries), wanted.concurrency, wanted.seconds))
    wanted.results.write_text("".join(lines), encoding="utf-8")


async def _load(address: str, queries: Iterator[Query], concurrency: int, seconds: float) -> list[str]:
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    channels = [
        grpc.aio.insecure_channel(address, options=own_connection) for _ in range(-(-concurrency // REQUESTS_A_CHANNEL))
    ]
    metadata = (("authorization", f"Bearer {os.environ['BENCHMARK_TOKEN']}"),)
    end = time.monotonic() + seconds
    lines: list[str] = []

    async def caller(stub: FrontdeskServiceStub) -> None:
        while (sent := time.monotonic()) < end:
            try:
                await stub.Understand(next(queries), metadata=metadata)
                status = 200
            except grpc.aio.AioRpcError as error:
                status = STATUSES.get(error.code(), OTHER_FAILURE)
            lines.append(f"{sent:.6f} {status} {time.monotonic() - sent:.6f}\n")

    stubs = itertools.cycle(
        [FrontdeskServiceStub(channel) for channel in channels]  # type: ignore[no-untyped-call]  # generated, untyped
    )
    await asyncio.gather(*(caller(next(stubs)) for _ in range(concurrency)))
    await asyncio.gather(*(channel.close(None) for channel in channels))
    return lines


if __name__ == "__main__":
    main()
