"""The open HTTP connections of one worker: caps, eviction, and the periodic sweep that enforces deadlines.

The sweep compares floats, so a request needs no timer. Caps apply before anything is read: one cap for the worker,
below its descriptor limit, and one for each peer address (an IPv6 /64 network counts as one). Trusted proxies have only
the cap of the worker, because all clients behind a proxy share its address.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

from frontdesk.config import ServerSettings

_log = logging.getLogger("bentoml.frontdesk")

SWEEP_S = 0.5
MAX_DERIVED_CONNECTIONS = 4096
"""Largest cap that is derived from the descriptor limit; a larger cap must be configured."""
MAX_HELD_REFUSED = 64
"""Maximum number of refused connections that stay open for a moment, so that their client can read the 503."""
MAX_BUFFERED_BYTES = 32 * 1024 * 1024
"""Limit for pipelined requests, and for responses that clients do not read, over all connections of the worker."""
PIPELINED_PAUSE_S = 0.002
"""Pause between two pipelined requests of this worker, so that a flood of them costs a fraction of its time."""
PIPELINED_CHECKS = 8
"""Maximum number of waiting connections that are checked to start one pipelined request."""
MAX_STARTS_PER_PASS = 12
"""Maximum number of requests that are started in one pass of the event loop, because the first step of a request takes
about a millisecond. With 4, the throughput at 64 connections was 15 % lower; with 12, it is as high as without a limit.
"""
STALLED_S = 1.0
"""A response without progress for this time may be aborted if unread responses exceed `MAX_BUFFERED_BYTES`."""


class Connection(Protocol):
    """A connection in the table. `deadline` is in the time of the event loop."""

    deadline: float
    progress_at: float

    @property
    def may_be_evicted(self) -> bool: ...
    def begin_pipelined_request(self) -> bool: ...
    def expire_or_get_unsent_bytes(self, now: float) -> int: ...
    def abort(self, reason: str) -> None: ...


class ConnectionEvents(Protocol):
    """Observer of connections, for metrics and the access log."""

    def on_closed(self, reason: str) -> None: ...
    def on_connection_count(self, connections: int) -> None: ...
    def on_request_refused(self, status: int, request_id: str, client: str | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Deadlines in seconds, sizes in bytes; `discard_s` and `discard_bytes` limit the reading of a refused body."""

    keep_alive_s: float = 75.0
    header_timeout_s: float = 10.0
    request_timeout_s: float = 10.0
    batch_timeout_s: float = 0.0
    response_stall_s: float = 10.0
    discard_s: float = 2.0
    discard_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 16_384
    max_connections: int = MAX_DERIVED_CONNECTIONS
    max_per_address: int = MAX_DERIVED_CONNECTIONS // 4
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_settings(cls, settings: ServerSettings) -> ConnectionLimits:
        """Return the limits of the settings. Caps that are null are derived from the descriptor limit."""
        max_connections = connection_cap(settings.max_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        return cls(
            keep_alive_s=settings.keep_alive_s,
            header_timeout_s=settings.header_timeout_s,
            request_timeout_s=settings.request_timeout_s,
            batch_timeout_s=settings.batch_timeout_s,
            response_stall_s=settings.response_stall_s,
            max_header_bytes=settings.max_header_bytes,
            max_connections=max_connections,
            max_per_address=settings.max_connections_per_address or max(1, max_connections // 4),
            trusted=tuple(ip_network(network) for network in settings.trusted_proxies),
        )

    @property
    def answer_timeout_s(self) -> float:
        """Longest time that the application may need for an answer."""
        return max(self.request_timeout_s, self.batch_timeout_s)

    @property
    def sweep_interval_s(self) -> float:
        return min(SWEEP_S, min(self.header_timeout_s, self.keep_alive_s, self.response_stall_s, self.discard_s) / 4)


def connection_cap(configured: int | None, descriptors: int) -> int:
    """Return the maximum number of HTTP connections of a process with this number of descriptors.

    A quarter of the descriptors, at least 128, is reserved for the database, files, gRPC and the language model. A
    configured cap that leaves less is lowered.
    """
    if descriptors in (resource.RLIM_INFINITY, -1):
        return configured or MAX_DERIVED_CONNECTIONS
    available = max(16, descriptors - max(128, descriptors // 4))
    if configured is not None and configured > available:
        _log.warning(
            "server.max_connections is %d, but %d descriptors leave room for %d.", configured, descriptors, available
        )
    return min(configured or MAX_DERIVED_CONNECTIONS, available)


def peer_address_or_network(host: str | None) -> str:
    """Return the group whose cap applies to an address: an IPv4 address, or the /64 network of an IPv6 address."""
    if host is None or ":" not in host:
        return host or ""
    address = IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


class ConnectionTable:
    """All connections of this worker by peer, oldest first."""

    def __init__(self, limits: ConnectionLimits, events: ConnectionEvents) -> None:
        self.limits = limits
        self.events = events
        self.is_draining = False
        self._peers: dict[str, dict[Connection, None]] = {}
        self._groups: dict[Connection, str] = {}
        self._refused: dict[Connection, None] = {}
        self._trusted: set[str] = set()
        self._pipelined_bytes = 0
        self._pipelining: deque[Connection] = deque()
        self._is_pipeline_scheduled = False
        self._pass_at = 0.0
        self._starts = 0
        self._starting: deque[Callable[[], object]] = deque()

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._groups)

    def admit(self, connection: Connection, host: str | None) -> str | None:
        """Add a new connection, or return the reason for its refusal: "cap" or "address_cap".

        At the worker's cap, an idle connection of the address with the most connections is evicted, if the new
        connection's address has fewer.
        """
        group = peer_address_or_network(host)
        peers = self._peers.get(group)
        trusted = group in self._trusted if peers else self._is_trusted_proxy(group)
        held_connections = len(peers) if peers else 0
        if not trusted and held_connections >= self.limits.max_per_address:
            return "address_cap"
        if len(self._groups) >= self.limits.max_connections and not self._evict_idle_connection(
            held_connections, trusted=trusted
        ):
            return "cap"
        if trusted:
            self._trusted.add(group)
        self._peers.setdefault(group, {})[connection] = None
        self._groups[connection] = group
        return None

    def keep_refused_connection_open(self, connection: Connection) -> bool:
        """Keep a refused connection open until its client has read the refusal. Return False if there are too many."""
        if len(self._refused) >= MAX_HELD_REFUSED:
            return False
        self._refused[connection] = None
        return True

    def remove(self, connection: Connection) -> None:
        """Remove a connection; does nothing if it is not in the table."""
        self._refused.pop(connection, None)
        group = self._groups.pop(connection, None)
        if group is None:
            return
        peers = self._peers[group]
        del peers[connection]
        if not peers:
            del self._peers[group]
            self._trusted.discard(group)

    def reserve_pipelined_bytes(self, size: int) -> bool:
        """Reserve memory for pipelined requests. Return False if all connections together would exceed the limit."""
        if self._pipelined_bytes + size > MAX_BUFFERED_BYTES:
            return False
        self._pipelined_bytes += size
        return True

    def release_pipelined_bytes(self, size: int) -> None:
        self._pipelined_bytes -= size

    def queue_pipelined_request(self, connection: Connection) -> None:
        """Queue the next pipelined request of a connection behind those of other connections."""
        self._pipelining.append(connection)
        if not self._is_pipeline_scheduled:
            self._is_pipeline_scheduled = True
            asyncio.get_running_loop().call_soon(self._begin_next_pipelined)

    def _begin_next_pipelined(self) -> None:
        for _ in range(min(PIPELINED_CHECKS, len(self._pipelining))):
            connection = self._pipelining.popleft()
            if connection in self._groups and not connection.begin_pipelined_request():
                self._pipelining.append(connection)  # its client has not read the earlier responses
            else:
                break
        self._is_pipeline_scheduled = bool(self._pipelining)
        if self._is_pipeline_scheduled:
            asyncio.get_running_loop().call_later(PIPELINED_PAUSE_S, self._begin_next_pipelined)

    def start_request(self, run: Callable[[], object], now: float) -> None:
        """Call `run`, which starts a request, in this pass of the event loop or, if the pass is full, in a later one.

        Requests that arrive at the same moment therefore do not block the event loop. `now` is the time of the loop,
        which uvloop reads once per pass.
        """
        if now != self._pass_at:
            self._pass_at, self._starts = now, 0
        if self._starts < MAX_STARTS_PER_PASS and not self._starting:
            self._starts += 1
            run()
            return
        if not self._starting:
            asyncio.get_running_loop().call_soon(self._start_waiting)
        self._starting.append(run)

    def _start_waiting(self) -> None:
        for _ in range(min(MAX_STARTS_PER_PASS, len(self._starting))):
            self._starting.popleft()()
        if self._starting:
            asyncio.get_running_loop().call_soon(self._start_waiting)

    def sweep(self, now: float) -> None:
        """Expire connections past their deadline. If unread responses use too much memory, abort stalled ones."""
        waiting = [
            (connection.progress_at, unsent, connection)
            for connection in [*self._groups, *self._refused]
            if connection.deadline <= now and (unsent := connection.expire_or_get_unsent_bytes(now))
        ]
        excess = sum(unsent for _, unsent, _ in waiting) - MAX_BUFFERED_BYTES
        for progress_at, unsent, connection in sorted(waiting, key=lambda entry: entry[0]):
            if excess <= 0 or now - progress_at < STALLED_S:
                break
            connection.abort("response_memory")
            excess -= unsent
        self.events.on_connection_count(len(self._groups))

    def _evict_idle_connection(self, held_connections: int, *, trusted: bool) -> bool:
        for group in self._peers_by_connection_count():
            peers = self._peers[group]
            if not trusted and len(peers) <= held_connections:
                return False
            for connection in peers:
                if connection.may_be_evicted:
                    connection.abort("evicted")
                    self.remove(connection)
                    return True
        return False

    def _peers_by_connection_count(self) -> Iterator[str]:
        groups = [group for group in self._peers if group not in self._trusted]
        return iter(sorted(groups, key=lambda group: len(self._peers[group]), reverse=True))

    def _is_trusted_proxy(self, group: str) -> bool:
        if not self.limits.trusted or not group:
            return False
        address = ip_address(group.partition("/")[0])
        return any(address in network for network in self.limits.trusted)
