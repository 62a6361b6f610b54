"""Cross-origin resource sharing (CORS) for a configured list of origins, empty by default.

Scripts set the token in a header, so credentials of the browser are not allowed.
https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

PREFLIGHT_MAX_AGE_S = 600
ALLOWED_HEADERS = (
    "authorization, cache-control, content-type, idempotency-key, traceparent, x-request-deadline-ms, x-request-id"
)
EXPOSED_HEADERS = "ratelimit, ratelimit-policy, retry-after, x-request-id"


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """CORS headers and preflight responses. `origins` have the form that browsers send: scheme, host and port."""

    origins: frozenset[str]

    def response_headers(self, origin: str | None) -> tuple[tuple[str, str], ...]:
        """Headers for a response. With configured origins, `Vary` makes caches distinguish them."""
        if not self.origins:
            return ()
        if origin not in self.origins or origin is None:
            return (("vary", "origin"),)
        return (
            ("vary", "origin"),
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", EXPOSED_HEADERS),
        )

    def preflight(self, origin: str | None, requested_method: str | None, methods: Sequence[str]) -> Response | None:
        """The response to a preflight request; None if this is not one or the origin is not allowed."""
        if origin not in self.origins or requested_method is None or not methods:
            return None
        headers = {
            "access-control-allow-methods": ", ".join(methods),
            "access-control-allow-headers": ALLOWED_HEADERS,
            "access-control-max-age": str(PREFLIGHT_MAX_AGE_S),
        }
        return Response(status_code=204, headers=headers)
