"""What each gate and each layer of the HTTP door costs by itself, of CPU per request.

Called by `benchmarks.layers`, with the real parts as a worker wires them: no network, no framework, one request after
the other. A token is "known" once it was verified (`Gate` remembers it); "new" ones are each verified, HS256.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bentos.admission.headers import rate_limit_fields
from bentos.admission.routes import find_routes
from bentos.gateway.compression import compressed, is_worth_it, reads_gzip
from bentos.gateway.cors import CrossOrigin
from bentos.gateway.request_context import Exchange
from frontdesk.config import LimitSettings, Settings
from frontdesk.observability.logs import log_access
from frontdesk.observability.metrics import Metrics
from frontdesk.security.gate import Gate
from frontdesk.security.keys import signing_key
from frontdesk.security.rate_limit import RateLimits
from frontdesk.security.tokens import mint
from frontdesk.types import Caller

ORIGIN = "https://desk.example"
CALLER = Caller("default", "benchmark", frozenset({"understand"}))

Work = Callable[[Any], Awaitable[Any]]


def layers(
    settings: Settings, gate: Gate, metrics: Metrics, answers: Sequence[bytes]
) -> dict[str, tuple[Work, Sequence[Any]]]:
    """By name, what to do for each of so many requests; `answers` are bodies as they are sent."""
    key, ours = signing_key(settings.keys), {"tenant": "default", "scopes": ("understand",), "ttl_s": 3600}
    tokens = [
        f"Bearer {mint(key, settings.security, subject=f'b{number}', **ours)}" for number, _ in enumerate(answers)
    ]
    limits = RateLimits(
        LimitSettings(caller_requests=10**9, tenant_requests=10**9, total_requests=10**9),
        place=0,
        workers=1,
        shared=None,
        observe_check=metrics.observe_limit_check,
        observe_refusal=metrics.observe_limited,
    )
    origins = CrossOrigin(frozenset([ORIGIN]))

    async def new_token(token: str) -> None:
        await Gate(gate.keys, gate.settings).admit(token, "understand")  # one that remembers nothing

    async def known_token(_: str) -> None:
        await gate.admit(tokens[0], "understand")

    async def limited(_: object) -> None:
        rate_limit_fields((await limits.take(CALLER)).standings)

    async def route(_: object) -> None:
        find_routes("/v1/understand")

    async def cross_origin(_: object) -> None:
        origins.fields(ORIGIN)

    async def exchanged(answer: bytes) -> None:
        exchange = Exchange(_scope(), _nowhere)
        exchange.check_headers(settings.server.max_header_bytes)
        await exchange.send({"type": "http.response.start", "status": 200, "headers": _headers(answer)})
        await exchange.send({"type": "http.response.body", "body": answer})

    async def asked_for_gzip(answer: bytes) -> None:
        is_worth_it(_headers(answer), 1)
        reads_gzip("gzip, deflate, br")

    async def zipped(answer: bytes) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": _headers(answer)}
        await compressed(start, {"type": "http.response.body", "body": answer})

    async def counted(_: object) -> None:
        metrics.observe_request("/v1/understand", "POST", 200, 0.01)

    async def logged(_: object) -> None:
        log_access(
            method="POST", route="/v1/understand", status=200, duration_ms=1.0, request_id="0190-r", tenant="default",
            subject="benchmark", client="127.0.0.1", bytes_in=100, bytes_out=1000,
        )  # fmt: skip

    return {
        "gate, a new token (HS256)": (new_token, tokens),
        "gate, a known token": (known_token, tokens),
        "limits of caller, tenant and total, in process": (limited, answers),
        "route": (route, answers),
        "CORS, where it is on": (cross_origin, answers),
        "headers read, checked and added (security, request id)": (exchanged, answers),
        "gzip, whether": (asked_for_gzip, answers),
        "gzip, an answer": (zipped, answers),
        "metrics of a request": (counted, answers),
        "access log": (logged, answers),
    }


def _scope() -> dict[str, Any]:
    named = (
        b"host",
        b"user-agent",
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"content-type",
        b"content-length",
    )
    return {"type": "http", "method": "POST", "headers": [(name, b"a value of some length") for name in named]}


def _headers(answer: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]


async def _nowhere(_: Any) -> None:
    pass
