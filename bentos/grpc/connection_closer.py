"""Closes connections of gRPC clients; `grpc.aio` has no function for this.

The descriptor of a connection is looked up among the descriptors of this process by its peer address and port.
`shutdown` leaves the descriptor to gRPC core, which reads the end of the connection, cancels its calls and closes it.
Calls that core has queued but that were not accepted yet end without reaching Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path

from bentos.grpc.call import peer_address

DELAY_S = 0.02
"""Time for a refusal to reach its client before the connection is closed."""
HOLD_S = (10.0, 20.0)
"""Minimum and maximum time for which a refused connection stays open. A new connection and its first call take 2 ms of
CPU; clients whose connections are closed immediately, or all together, reconnect as often as they can."""
QUEUED_S = 1.0
"""Calls of a closed connection that core had queued arrive within about this time."""
SEARCH_PAUSE_FACTOR = 10
"""The pause after a search, as a multiple of its duration (about 5 microseconds for each descriptor)."""
DESCRIPTORS = next((path for path in (Path("/proc/self/fd"), Path("/dev/fd")) if path.is_dir()), None)
"""Folder with the descriptors of this process; None if the system has none, and then nothing can be closed."""

Endpoint = tuple[str, int]
"""Address and port; an IPv4-mapped IPv6 address is written as an IPv4 address."""


class ConnectionCloser:
    """Closes connections of clients to the local `port`. `on_closed` is called for each closed connection."""

    def __init__(self, port: int, on_closed: Callable[[], None]) -> None:
        self._port = port
        self._on_closed = on_closed
        self._pending: dict[Endpoint, str] = {}
        self._peers: set[str] = set()
        self._held: dict[str, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_search_at = 0.0

    def is_closing(self, peer: str) -> bool:
        """Whether the connection of this peer is about to be closed, or was closed in the last `QUEUED_S` seconds."""
        return peer in self._peers

    def close_after_random_delay(self, peer: str) -> bool:
        """Close the connection of a refused peer after a random time within `HOLD_S`. Return False if already held.

        The time is random, so that connections that were opened together are not closed together.
        """
        if peer in self._held:
            return False
        loop = asyncio.get_running_loop()
        self._held[peer] = loop.call_later(random.uniform(*HOLD_S), self.close, peer)  # noqa: S311  # no secret
        return True

    def close(self, peer: str, *, delay_s: float = DELAY_S) -> bool:
        """Close the connection of a peer (in gRPC's notation) after `delay_s` and the pause after the last search.

        Connections that are added in the meantime are closed by the same search. Return False if the system does not
        support it or the peer has no address.
        """
        if (timer := self._held.pop(peer, None)) is not None:
            timer.cancel()
        endpoint = parse_peer(peer)
        if endpoint is None or DESCRIPTORS is None:
            return False
        self._pending[endpoint] = peer
        self._peers.add(peer)
        loop = asyncio.get_running_loop()
        due = max(self._next_search_at, loop.time() + delay_s)
        if due <= loop.time():
            self._close_pending_connections()
        elif self._timer is None or due < self._timer.when():
            self._cancel_timer()
            self._timer = loop.call_at(due, self._close_pending_connections)
        return True

    def _close_pending_connections(self) -> None:
        """Close all pending connections."""
        self._cancel_timer()
        loop = asyncio.get_running_loop()
        started = loop.time()
        for descriptor in _list_file_descriptors():
            endpoint = _read_peer_of_descriptor(descriptor, self._port)
            if endpoint in self._pending and _shut_down(descriptor, endpoint):
                del self._pending[endpoint]
                self._on_closed()
                if not self._pending:
                    break
        self._pending.clear()
        loop.call_later(QUEUED_S, self._peers.difference_update, frozenset(self._peers))
        self._next_search_at = loop.time() + SEARCH_PAUSE_FACTOR * (loop.time() - started)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def parse_peer(peer: str) -> Endpoint | None:
    """Return address and port of a peer in gRPC's notation; None for a peer without them."""
    address, port = peer_address(peer), peer.rpartition(":")[2]
    return (_canonical(address), int(port)) if address and port.isdecimal() else None


def _canonical(host: str) -> str:
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or address)


def _list_file_descriptors() -> Iterator[int]:
    if DESCRIPTORS is not None:
        with contextlib.suppress(OSError):  # no descriptor is free to read the folder
            yield from [int(entry.name) for entry in DESCRIPTORS.iterdir()]


def _read_peer_of_descriptor(descriptor: int, port: int) -> Endpoint | None:
    """Return the peer of a connection to the local port; None for any other descriptor."""
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        return _read_peer_endpoint(connection, port)
    finally:
        connection.detach()


def _read_peer_endpoint(connection: socket.socket, port: int) -> Endpoint | None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.type != socket.SOCK_STREAM:
        return None
    try:
        if connection.getsockname()[1] != port:
            return None
        host, peer_port = connection.getpeername()[:2]
    except OSError:
        return None
    return _canonical(host), peer_port


def _shut_down(descriptor: int, endpoint: Endpoint) -> bool:
    """Shut down the connection, after another check on a duplicate, which other threads cannot close or reuse."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            if _read_peer_endpoint(connection, connection.getsockname()[1]) != endpoint:
                return False
            connection.shutdown(socket.SHUT_RDWR)
            return True
    except OSError:
        return False
