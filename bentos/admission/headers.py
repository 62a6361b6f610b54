"""Parse request metadata. HTTP headers and gRPC metadata have the same names and values.

Independent of both protocols: values are strings, or None if the header is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from frontdesk.errors import InvalidQuery
from frontdesk.identifiers import uuid7
from frontdesk.security.rate_limit import TOTAL, QuotaStatus

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_KEY_CHARACTERS = 255
_KEY = re.compile(rf"[!-~]{{1,{MAX_KEY_CHARACTERS}}}")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"')
_ESCAPED = re.compile(r'\\(["\\])')
_NOT_CACHED = frozenset(("no-cache", "no-store"))


def request_id(header: str | None) -> str:
    """The value of `X-Request-ID` if it is safe to log, else a new id."""
    return header if header and _REQUEST_ID.fullmatch(header) else uuid7()


def check_host(header: str | None, hosts: Sequence[str]) -> None:
    """Refuse a request for an unknown host (DNS rebinding: the name of another site that resolves to our address).

    `hosts` are lower-case names or addresses without a port. `*.example.com` matches every subdomain.

    Raises:
        InvalidQuery: the header Host is missing or names another host.
    """
    host = (header or "").lower()
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].rstrip(".")
    bare = name.strip("[]")
    for allowed in hosts:
        if bare == allowed.strip("[]") or (allowed.startswith("*.") and bare.endswith(allowed[1:])):
            return
    raise InvalidQuery("This server does not answer for that host.", hint="Operators: add the host to server.hosts.")


def is_identity_coding(content_encoding: str) -> bool:
    """Whether `Content-Encoding` (RFC 9110, section 8.4) says that the body is not encoded."""
    return all(coding.strip().lower() in ("", "identity") for coding in content_encoding.split(","))


def parse_deadline(header: str | None, max_s: float) -> float:
    """The value of `X-Request-Deadline-Ms` in seconds, at most `max_s`.

    Raises:
        InvalidQuery: it is not a whole number of milliseconds above 0.
    """
    if header is None:
        return max_s
    if not (header.isascii() and header.isdecimal()) or len(header) > 9 or int(header) == 0:
        raise InvalidQuery("X-Request-Deadline-Ms must be a whole number of milliseconds above 0.")
    return min(int(header) / 1000, max_s)


def rate_limit_fields(statuses: Sequence[QuotaStatus]) -> tuple[tuple[str, str], ...]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).

    The limit over all tenants is only reported when it is used up, because it reveals the load of other tenants.
    """
    visible = [standing for standing in statuses if standing.quota.name != TOTAL or standing.remaining <= 0]
    if not visible:
        return ()
    policy = ", ".join(
        f'"{standing.quota.name}";q={standing.quota.limit};w={math.ceil(standing.quota.window_s)}'
        for standing in visible
    )
    remaining = ", ".join(
        f'"{standing.quota.name}";r={max(0, standing.remaining)};t={math.ceil(standing.reset_s)}'
        for standing in visible
    )
    return (("ratelimit-policy", policy), ("ratelimit", remaining))


def idempotency_key(header: str | None, *, batch: bool) -> str | None:
    """The value of `Idempotency-Key`: 1 to 255 visible ASCII characters, plain or as a quoted string (RFC 9651).

    Raises:
        InvalidQuery: the value has neither form, or the request is a batch, whose messages are stored separately.
    """
    if header is None:
        return None
    if batch:
        raise InvalidQuery(
            "Idempotency-Key stands for one answer; a batch has several.", hint="Send the messages one by one."
        )
    key = _ESCAPED.sub(r"\1", header[1:-1]) if _QUOTED.fullmatch(header) else header
    if not _KEY.fullmatch(key):
        raise InvalidQuery(
            f"Idempotency-Key must be 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.",
            hint='Send a new UUID for each new request, such as "8e03978e-40d5-43dd-bc93-6894a57f9324".',
        )
    return key


def bypasses_cache(cache_control: str | None) -> bool:
    """Whether `Cache-Control` (RFC 9111, directives in any case) has the directive `no-cache` or `no-store`."""
    if cache_control is None:
        return False
    return not _NOT_CACHED.isdisjoint(part.strip().lower() for part in cache_control.split(","))
