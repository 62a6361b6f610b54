"""Rate limits of a running server, at both doors: 300 requests at once under a limit of 100."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx2
import pytest

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from model_store.bundle import Bundle
from tests.support.redis_server import RedisServer, running
from tests.support.serving import TENANT, Server, home_with

LIMIT, REQUESTS, CONNECTIONS = 100, 300, 30


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


def serve(bundle: Bundle, home: Path, workers: int, **settings: object) -> Server:
    limited = {"limits__caller_requests": LIMIT, "limits__window_s": 600.0, **settings}
    return Server(home_with(bundle, home), workers=workers, **limited)


@pytest.fixture(scope="module")
def with_redis(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Server]:
    """Two workers that are patient with Redis, however busy the machine is; each test is a tenant of its own."""
    patient = {"redis__url": redis.url, "redis__timeout_s": 2.0}
    with serve(tiny_bundle, tmp_path_factory.mktemp("limited") / "home", 2, **patient) as server:
        yield server


async def storm(server: Server, requests: int = REQUESTS, tenant: str = TENANT) -> list[httpx2.Response]:
    headers = {"authorization": f"Bearer {server.token(tenant=tenant)}"}
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(client.get("/v1/admin/models") for _ in range(requests)))


async def passed_until_none_does(server: Server, tenant: str = TENANT) -> int:
    """Number of accepted requests over repeated storms, until none passes twice in a row (one may reach one worker)."""
    total, storms_without = 0, 0
    while storms_without < 2:
        answers = await storm(server, tenant=tenant)
        assert {answer.status_code for answer in answers} <= {200, 429}
        passed = sum(answer.status_code == 200 for answer in answers)
        storms_without = 0 if passed else storms_without + 1
        total += passed
    return total


async def test_one_worker_passes_exactly_the_limit_and_says_so_at_both_doors(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    with serve(tiny_bundle, tmp_path / "home", 1) as server:
        answers = await storm(server)
        assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: REQUESTS - LIMIT}
        passed = next(answer for answer in answers if answer.status_code == 200)
        assert passed.headers["ratelimit-policy"] == '"caller";q=100;w=600'
        assert passed.headers["ratelimit"].startswith('"caller";r=')
        refused = answers[-1]
        assert refused.json()["type"] == "urn:frontdesk:rate-limited"
        assert 0 < int(refused.headers["retry-after"]) <= 600
        assert '"caller";r=0' in refused.headers["ratelimit"]

        async with grpc.aio.insecure_channel(server.grpc_address) as channel:
            call = FrontdeskServiceStub(channel).Understand(
                pb.Query(text="Where is it?"), metadata=(("authorization", f"Bearer {server.token()}"),)
            )
            assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert dict(await call.trailing_metadata())["ratelimit"].startswith('"caller";r=0')
        metrics = httpx2.get(f"{server.url}/metrics").text
        assert f'frontdesk_rate_limited_total{{limit="caller"}} {REQUESTS - LIMIT + 1}.0' in metrics
        assert httpx2.get(f"{server.url}/livez").status_code == 200


async def test_two_workers_with_redis_pass_exactly_the_limit_together(with_redis: Server) -> None:
    answers = await storm(with_redis)
    metrics = httpx2.get(f"{with_redis.url}/metrics").text
    assert 'frontdesk_rate_limit_checks_total{windows="redis"} 300.0' in metrics
    assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: REQUESTS - LIMIT}


async def test_two_workers_whose_redis_goes_away_go_on_with_what_is_left_of_their_shares(
    with_redis: Server, redis: RedisServer
) -> None:
    """A worker that had passed less than its share goes on to it, one that had passed more passes nothing further."""
    if not redis.is_real:
        pytest.skip("fakeredis goes on to answer over connections that are open when it is killed")
    before = await storm(with_redis, 60, tenant="in-mid-run")
    assert {answer.status_code for answer in before} == {200}
    redis.kill()
    try:
        after = await passed_until_none_does(with_redis, tenant="in-mid-run")
        metrics = httpx2.get(f"{with_redis.url}/metrics").text
    finally:
        redis.start()
    assert LIMIT <= 60 + after <= LIMIT + 60 - LIMIT // 2  # more than the limit only where one had passed most of 60
    assert 'frontdesk_rate_limit_checks_total{windows="process"}' in metrics


async def test_two_workers_without_redis_pass_exactly_the_limit_once_both_have_used_up_their_shares(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    with serve(tiny_bundle, tmp_path / "home", 2) as server:
        assert await passed_until_none_does(server) == LIMIT
