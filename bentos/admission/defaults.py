"""Values that stand for callers and routes before they are known, and the retry hint of a busy worker."""

from __future__ import annotations

from frontdesk.types import Caller

ANONYMOUS = Caller(tenant="", subject="", scopes=frozenset())
UNKNOWN_ROUTE = "unknown"
BUSY_RETRY_S = 1.0
"""When a client may retry that was refused because too many requests are in flight, in seconds."""
