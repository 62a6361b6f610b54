"""The order of the checks that HTTP and gRPC share, and the state of a refused request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bentos.admission.admission import AdmissionControl, RequestMetadata
from bentos.admission.defaults import ANONYMOUS
from bentos.admission.routes import Route, Rpc, find_routes
from frontdesk.config import ServerSettings
from frontdesk.errors import FrontdeskError, InvalidQuery, Overloaded, RateLimited, Unauthenticated
from frontdesk.security.rate_limit import Quota, QuotaStatus, RateLimitResult
from frontdesk.types import Caller

CALLER = Caller("acme", "agent", frozenset({"understand"}))
ROUTE = Route("/v1/understand", ("POST",), "understand", models=True)
OPEN = Route("/metrics", ("GET",))
STANDING = QuotaStatus(Quota("caller", 10, 60.0), 3, 12.0)
FIELDS = [("ratelimit-policy", '"caller";q=10;w=60'), ("ratelimit", '"caller";r=3;t=12')]


def metadata(authorization: str | None = "Bearer x", **others: str) -> RequestMetadata:
    return RequestMetadata(
        authorization, **{"deadline_ms": None, "cache_control": None, "idempotency_key": None, **others}
    )


@dataclass
class Pending:
    route: str = "/v1/understand"
    started: float = field(default_factory=time.perf_counter)
    is_admitted: bool = False
    caller: Caller = ANONYMOUS
    fields: list[tuple[str, str]] = field(default_factory=list)

    def set_caller(self, caller: Caller) -> None:
        self.caller = caller

    def add_response_headers(self, fields: Sequence[tuple[str, str]]) -> None:
        self.fields.extend(fields)


@dataclass
class Worker:
    """Fakes of authentication, rate limits and queue that record the order of calls."""

    full: bool = False
    limited: bool = False
    order: list[str] = field(default_factory=list)
    bulk_checks: list[bool] = field(default_factory=list)

    def check_room(self, *, bulk: bool = False) -> None:
        self.bulk_checks.append(bulk)
        self.order.append("room")
        if self.full:
            raise Overloaded("Too much waits.", retry_after_s=3)

    async def authenticate(self, authorization: str | None, scope: str, place: str) -> Caller:
        self.order.append(f"{scope} at {place}")
        await asyncio.sleep(0)
        if authorization is None:
            raise Unauthenticated("No token.")
        return CALLER

    async def consume(self, caller: Caller) -> RateLimitResult:
        self.order.append(f"limits of {caller.tenant}")
        return RateLimitResult((STANDING,), STANDING if self.limited else None)

    def control(self, optional_scopes: Any = None, **settings: Any) -> AdmissionControl:
        return AdmissionControl(
            authenticator=self,  # type: ignore[arg-type]
            limits=self,  # type: ignore[arg-type]
            check_room=self.check_room,
            settings=ServerSettings(**settings),
            optional_scopes=optional_scopes or {},
        )


async def test_the_checks_run_from_the_cheapest_to_the_dearest_and_tell_the_request() -> None:
    worker, request = Worker(), Pending()
    options = await worker.control().admit(ROUTE, metadata(cache_control="no-cache", idempotency_key="k-1"), request)
    assert worker.order == ["room", "understand at /v1/understand", "limits of acme"]
    assert (request.caller, request.fields, request.is_admitted) == (CALLER, FIELDS, True)
    assert (options.fresh, options.idempotency_key) == (True, "k-1")


@pytest.mark.parametrize(
    ("worker", "authorization", "refusal", "checks", "learned"),
    [
        (Worker(full=True), "Bearer x", Overloaded, 1, (ANONYMOUS, [])),
        (Worker(), None, Unauthenticated, 2, (ANONYMOUS, [])),
        (Worker(limited=True), "Bearer x", RateLimited, 3, (CALLER, FIELDS)),
    ],
)
async def test_a_refused_request_counts_as_none_in_flight_and_has_learned_what_was_known(
    worker: Worker, authorization: str | None, refusal: type[FrontdeskError], checks: int, learned: object
) -> None:
    control, request = worker.control(max_concurrent_requests=1), Pending()
    for _ in range(2):
        with pytest.raises(refusal):
            await control.admit(ROUTE, metadata(authorization), request)
    control.release(request)
    assert len(worker.order) == 2 * checks
    assert not request.is_admitted
    assert (request.caller, request.fields[:2]) == learned


async def test_a_full_worker_refuses_before_it_looks_at_the_queue_or_the_token() -> None:
    worker = Worker()
    control, first = worker.control(max_concurrent_requests=1), Pending()
    await control.admit(ROUTE, metadata(), first)
    worker.order.clear()
    with pytest.raises(Overloaded):
        await control.admit(ROUTE, metadata(), Pending())
    assert worker.order == []
    control.release(first)
    control.release(first)  # a second call has no effect
    second = Pending()
    await control.admit(ROUTE, metadata(), second)
    with pytest.raises(Overloaded):
        await control.admit(ROUTE, metadata(), Pending())


async def test_requests_whose_tokens_are_verified_together_do_not_exceed_the_limit() -> None:
    control = Worker().control(max_concurrent_requests=2)
    requests = [Pending() for _ in range(5)]
    outcomes = await asyncio.gather(
        *(control.admit(ROUTE, metadata(), request) for request in requests), return_exceptions=True
    )
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 3
    assert sum(request.is_admitted for request in requests) == 2


async def test_a_route_without_a_scope_needs_no_token_and_is_never_too_many() -> None:
    worker = Worker()
    control = worker.control(max_concurrent_requests=1)
    await control.admit(ROUTE, metadata(), Pending())
    worker.order.clear()
    request = Pending("/metrics")
    await control.admit(OPEN, metadata(None), request)
    assert (worker.order, request.is_admitted) == ([], False)


async def test_a_scope_of_the_settings_needs_a_token_but_does_not_count_as_in_flight() -> None:
    worker, request = Worker(), Pending("/metrics")
    control = worker.control({"/metrics": "metrics:read"}, max_concurrent_requests=1)
    await control.admit(OPEN, metadata(), request)
    assert worker.order == ["metrics:read at /metrics", "limits of acme"]
    assert (request.caller, request.is_admitted) == (CALLER, False)
    with pytest.raises(Unauthenticated):
        await control.admit(OPEN, metadata(None), request)


@pytest.mark.parametrize(
    ("deadline_ms", "remaining_s", "seconds"), [(None, None, 30), ("2000", None, 2), ("2000", 1.0, 1), (None, 5.0, 5)]
)
async def test_the_deadline_is_the_nearest_of_all(
    deadline_ms: str | None, remaining_s: float | None, seconds: float
) -> None:
    control = Worker().control(request_timeout_s=30)
    options = await control.admit(ROUTE, metadata()._replace(deadline_ms=deadline_ms), Pending(), lambda: remaining_s)
    assert seconds - 1 < options.deadline.remaining_s() <= seconds


async def test_a_batch_has_its_own_timeout_and_is_checked_as_bulk_work() -> None:
    worker = Worker()
    control = worker.control(request_timeout_s=5, batch_timeout_s=40)
    (batch,) = find_routes("/v1/understand/batch")
    options = await control.admit(batch, metadata(), Pending())
    assert 39 < options.deadline.remaining_s() <= 40
    options = await control.admit(batch, metadata(deadline_ms="2000"), Pending())
    assert 1 < options.deadline.remaining_s() <= 2
    await control.admit(ROUTE, metadata(), Pending())
    assert worker.bulk_checks == [True, True, False]


async def test_the_deadline_knows_when_the_request_arrived() -> None:
    request = Pending(started=time.perf_counter() - 10)
    options = await Worker().control(request_timeout_s=30).admit(ROUTE, metadata(), request)
    assert 10 <= options.deadline.elapsed_s() < 20
    assert 29 < options.deadline.remaining_s() <= 30


@pytest.mark.parametrize("wrong", [{"deadline_ms": "soon"}, {"idempotency_key": "a b"}])
async def test_malformed_metadata_is_refused_after_admission_and_still_released(wrong: dict[str, str]) -> None:
    control, request = Worker().control(max_concurrent_requests=1), Pending()
    with pytest.raises(InvalidQuery):
        await control.admit(ROUTE, metadata(**wrong), request)
    assert request.is_admitted
    control.release(request)
    await control.admit(ROUTE, metadata(), Pending())


async def test_a_batch_takes_no_idempotency_key() -> None:
    rpc = Rpc("/frontdesk.v1.FrontdeskService/UnderstandBatch", "understand", batch=True, models=True)
    with pytest.raises(InvalidQuery):
        await Worker().control().admit(rpc, metadata(idempotency_key="k-1"), Pending())
