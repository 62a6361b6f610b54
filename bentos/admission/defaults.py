"""Default caller and route of a request, and the retry delay of a busy worker."""

from __future__ import annotations

from frontdesk.types import Caller

ANONYMOUS = Caller(tenant="", subject="", scopes=frozenset())
UNKNOWN_ROUTE = "unknown"
BUSY_RETRY_S = 1.0
"""Seconds after which a client may retry that was refused because too many requests are in flight."""
