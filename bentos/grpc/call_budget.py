"""Token buckets for gRPC calls without a valid access token: one for each peer address, and one shared bucket.

A call takes a token from the bucket of its address, or from the shared bucket if that one is empty. An address whose
call was refused may not use the shared bucket for `REFUSAL_PERIOD_S`, so attackers cannot use up the budget of other
addresses. An IPv6 /64 network counts as one address. Trusted proxies have no limit, because all clients behind a proxy
share its address.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from bentos.http.connection_table import peer_address_or_network
from frontdesk.config import ServerSettings

ADDRESS_CALLS_PER_S = 2.0
ADDRESS_BURST = 20
SHARED_CALLS_PER_S = 100.0
SHARED_BURST = 200
"""Per worker. A call without a valid token takes 0.3 to 0.5 ms of the event loop; a full shared bucket takes 0.1 s."""
RESET_CALLS = 20
"""Tokens that one reset call costs: core drops most reset calls before they reach Python."""
REFUSAL_PERIOD_S = 10.0
"""An address whose call was refused gets no token from the shared bucket for this time."""
MAX_ADDRESSES = 4096
"""Maximum number of buckets. Beyond this, the least recently used one is removed."""


class TokenBucket:
    """A bucket that refills at `rate` tokens per second up to `burst`; times are seconds of a monotonic clock."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated_at", "refused_at")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated_at = now
        self.refused_at = -math.inf

    def take_token(self, now: float) -> bool:
        """Remove one token. Return False if the bucket is empty."""
        self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def spend(self, tokens: float) -> None:
        """Remove up to `tokens` tokens."""
        self._tokens = max(0.0, self._tokens - tokens)

    def put_back(self) -> None:
        """Return one token."""
        self._tokens = min(self._burst, self._tokens + 1.0)


class CallBudget:
    """The budgets of one worker. `clock` returns seconds."""

    def __init__(self, settings: ServerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, settings.trusted_proxies))
        self._shared = TokenBucket(SHARED_CALLS_PER_S, SHARED_BURST, clock())
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take_token(self, address: str | None) -> TokenBucket | None:
        """Charge a call to its address. Return the charged bucket, or None if the budget is used up.

        `put_back` of the bucket undoes the charge once the caller has shown a valid access token.
        """
        now = self._clock()
        bucket = self._bucket(address, now)
        if bucket.take_token(now):
            return bucket
        if now - bucket.refused_at < REFUSAL_PERIOD_S:
            return None
        return self._shared if self._shared.take_token(now) else None

    def charge_reset_call(self, address: str | None) -> None:
        """Charge the address for a call that was reset by its client before the refusal was sent."""
        self._bucket(address, self._clock()).spend(RESET_CALLS)

    def record_refusal(self, address: str | None) -> None:
        """Deny the shared bucket to the address for `REFUSAL_PERIOD_S`; a running period is not extended."""
        now = self._clock()
        bucket = self._bucket(address, now)
        if now - bucket.refused_at >= REFUSAL_PERIOD_S:
            bucket.refused_at = now

    def _bucket(self, address: str | None, now: float) -> TokenBucket:
        group = peer_address_or_network(address)
        bucket = self._buckets.get(group)
        if bucket is not None:
            self._buckets.move_to_end(group)
            return bucket
        if len(self._buckets) >= MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        burst = math.inf if self._is_trusted_proxy(group) else ADDRESS_BURST
        bucket = self._buckets[group] = TokenBucket(ADDRESS_CALLS_PER_S, burst, now)
        return bucket

    def _is_trusted_proxy(self, group: str) -> bool:
        if not self._trusted or not group:
            return False
        address = ip_address(group.partition("/")[0])
        return any(address in network for network in self._trusted)
