"""Admission control for HTTP and gRPC. It reads the metadata of a request, not the body.

    in-flight limit -> queue of the models -> token -> rate limits -> in-flight limit -> deadline -> Idempotency-Key

The cheapest checks come first; under overload the first two refuse most requests. Only admitted requests count as in
flight, so callers without a token cannot exhaust that limit. The transports limit their connections themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bentos.admission.defaults import BUSY_RETRY_S
from bentos.admission.headers import bypasses_cache, idempotency_key, parse_deadline, rate_limit_fields
from bentos.admission.routes import Route, Rpc
from frontdesk.config import ServerSettings
from frontdesk.deadline import Deadline
from frontdesk.errors import Overloaded
from frontdesk.security.authentication import Authenticator
from frontdesk.security.rate_limit import RateLimiter
from frontdesk.types import Caller


class RequestMetadata(NamedTuple):
    """The headers of HTTP, or the metadata of gRPC, that admission reads; None if absent."""

    authorization: str | None
    deadline_ms: str | None
    cache_control: str | None
    idempotency_key: str | None


class CheckRoom(Protocol):
    """Raises `Overloaded` if the queue of the models has no room for a text; `bulk` for the texts of a batch."""

    def __call__(self, *, bulk: bool = False) -> None: ...


class TransportRequest(Protocol):
    """State of one request of a transport. Caller and fields are set as soon as they are known, also for refusals.

    `started` is a value of `time.perf_counter`. `is_admitted` is True while the request counts as in flight.
    """

    started: float
    route: str
    is_admitted: bool

    def set_caller(self, caller: Caller) -> None:
        """Set the caller, whose token is valid and has the scope."""
        ...

    def add_response_headers(self, fields: Sequence[tuple[str, str]]) -> None:
        """Add header fields to the response, regardless of its status."""
        ...


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Deadline and key of an admitted request. `fresh`: bypass caches."""

    deadline: Deadline
    fresh: bool
    idempotency_key: str | None


@dataclass(slots=True, kw_only=True)
class AdmissionControl:
    """Admits the requests of one transport of one worker.

    `check_room` raises `Overloaded` if the queue of the models is full. `optional_scopes` maps templates of routes
    without a scope to the scope that the settings require. Requests of these routes do not count as in flight.
    """

    authenticator: Authenticator
    limits: RateLimiter
    check_room: CheckRoom
    settings: ServerSettings
    optional_scopes: Mapping[str, str] = field(default_factory=dict)
    _in_flight: int = field(default=0, init=False)

    async def admit(
        self,
        operation: Route | Rpc,
        metadata: RequestMetadata,
        request: TransportRequest,
        time_remaining: Callable[[], float | None] = lambda: None,
    ) -> RequestOptions:
        """Run the checks in order. The caller must call `release` when the request ends, for any reason.

        Args:
            operation: the requested route or RPC.
            metadata: the headers of the request.
            request: receives the caller and the fields of the rate limits.
            time_remaining: returns the seconds until the transport's own deadline, None without one.

        Raises:
            FrontdeskError: the request is refused; the kind of the error is the reason.
        """
        if operation.scope is not None:
            self._check_in_flight()
        if operation.models:
            self.check_room(bulk=operation.batch)
        if operation.scope is not None:
            await self._authenticate(operation.scope, metadata, request)
            self._check_in_flight()
            self._in_flight += 1
            request.is_admitted = True
        elif (scope := self.optional_scopes.get(request.route)) is not None:
            await self._authenticate(scope, metadata, request)
        max_s = self.settings.batch_timeout_s if operation.batch else self.settings.request_timeout_s
        allowed_s = parse_deadline(metadata.deadline_ms, max_s)
        if (remaining_s := time_remaining()) is not None:
            allowed_s = min(allowed_s, remaining_s)
        return RequestOptions(
            Deadline.after(allowed_s, time.monotonic() - (time.perf_counter() - request.started)),
            bypasses_cache(metadata.cache_control),
            idempotency_key(metadata.idempotency_key, batch=operation.batch),
        )

    def release(self, request: TransportRequest) -> None:
        """Stop counting the request as in flight."""
        if request.is_admitted:
            request.is_admitted = False
            self._in_flight -= 1

    def _check_in_flight(self) -> None:
        if self._in_flight >= self.settings.max_concurrent_requests:
            raise Overloaded("Too many requests are in progress.", retry_after_s=BUSY_RETRY_S, hint="Try again later.")

    async def _authenticate(self, scope: str, metadata: RequestMetadata, request: TransportRequest) -> None:
        """Check the token, then the rate limits of its caller."""
        caller = await self.authenticator.authenticate(metadata.authorization, scope, request.route)
        request.set_caller(caller)
        usage = await self.limits.consume(caller)
        request.add_response_headers(rate_limit_fields(usage.statuses))
        usage.raise_if_refused()
