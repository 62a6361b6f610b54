"""Closes connections of gRPC clients, which `grpc.aio` offers no function for.

The descriptor of a connection is found among the descriptors of this process by its peer address and port. `shutdown`
leaves the descriptor to gRPC core, which reads the end of the connection, cancels its calls and closes it. Calls that
core has queued and nobody has accepted yet end without reaching Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address

from bentos.grpc.call import peer_address

DELAY_S = 0.02
"""Connections to close are collected for this long, because each search looks at all descriptors of the process."""
DESCRIPTORS_PER_SLICE = 256
"""Descriptors that are looked at before the event loop may run something else."""
SEARCH_PAUSE_FACTOR = 20
"""The pause after a search, as a multiple of its duration."""
DESCRIPTORS = next((path for path in ("/proc/self/fd", "/dev/fd") if os.path.isdir(path)), None)
"""Folder with the descriptors of this process; None where the system has none: then nothing can be closed."""

Endpoint = tuple[str, int]
"""Address and port; an IPv4 address in IPv6 form is an IPv4 address."""


class ConnectionCloser:
    """Closes connections that clients have made to the local `port`. `on_closed` is called for each."""

    def __init__(self, port: int, on_closed: Callable[[], None]) -> None:
        self._port = port
        self._on_closed = on_closed
        self._pending: dict[Endpoint, str] = {}
        self._peers: set[str] = set()
        self._search: asyncio.Task[None] | None = None
        self._next_search_at = 0.0

    def is_closing(self, peer: str) -> bool:
        """Whether the connection of this peer is about to be closed."""
        return peer in self._peers

    def close(self, peer: str) -> bool:
        """Close the connection of a peer, in gRPC's notation, a little later. False where that is not possible."""
        endpoint = parse_peer(peer)
        if endpoint is None or DESCRIPTORS is None:
            return False
        self._pending[endpoint] = peer
        self._peers.add(peer)
        if self._search is None:
            self._search = asyncio.get_running_loop().create_task(self._close_pending())
        return True

    async def _close_pending(self) -> None:
        try:
            while self._pending:
                await asyncio.sleep(max(DELAY_S, self._next_search_at - time.monotonic()))
                pending, self._pending = self._pending, {}
                await self._close_all(pending)
        finally:
            self._search = None

    async def _close_all(self, pending: dict[Endpoint, str]) -> None:
        started = time.monotonic()
        peers = set(pending.values())
        for count, descriptor in enumerate(_descriptors()):
            if count % DESCRIPTORS_PER_SLICE == DESCRIPTORS_PER_SLICE - 1:
                await asyncio.sleep(0)
            endpoint = _peer_of(descriptor, self._port)
            if endpoint in pending and _shut_down(descriptor, endpoint):
                del pending[endpoint]
                self._on_closed()
            if not pending:
                break
        self._peers -= peers
        self._next_search_at = time.monotonic() + SEARCH_PAUSE_FACTOR * (time.monotonic() - started)


def parse_peer(peer: str) -> Endpoint | None:
    """Address and port of a peer in gRPC's notation."""
    address, port = peer_address(peer), peer.rpartition(":")[2]
    return (_canonical(address), int(port)) if address and port.isdecimal() else None


def _canonical(host: str) -> str:
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or address)


def _descriptors() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for name in os.listdir(DESCRIPTORS):
            yield int(name)


def _peer_of(descriptor: int, port: int) -> Endpoint | None:
    """The peer of a descriptor that is a connection to the local port; None of every other descriptor."""
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        return _endpoint(connection, port)
    finally:
        connection.detach()


def _endpoint(connection: socket.socket, port: int) -> Endpoint | None:
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
    """Shut down the connection. It is checked again on a duplicate, which other threads cannot close or reuse."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            if _endpoint(connection, connection.getsockname()[1]) != endpoint:
                return False
            connection.shutdown(socket.SHUT_RDWR)
            return True
    except OSError:
        return False
