"""The right connection is closed, among all descriptors of the process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from bentos.grpc.connection_closer import DELAY_S, ConnectionCloser, parse_peer

Pair = tuple[socket.socket, socket.socket]
"""The client's and the server's socket of one connection."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as opened:
        yield opened


def connect(stack: ExitStack, listener: socket.socket) -> Pair:
    client = stack.enter_context(socket.create_connection(listener.getsockname()))
    server, _ = listener.accept()
    stack.enter_context(server)
    return client, server


def peer_of(client: socket.socket) -> str:
    host, port = client.getsockname()
    return f"ipv4:{host}:{port}"


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True


async def test_only_the_connection_of_the_peer_is_closed(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bentos.grpc.connection_closer.QUEUED_S", 0.1)
    closed: list[None] = []
    closer = ConnectionCloser(listener.getsockname()[1], lambda: closed.append(None))
    with ExitStack() as stack:
        pairs = [connect(stack, listener) for _ in range(5)]
        target = pairs[2][0]
        assert closer.close(peer_of(target))
        assert closer.is_closing(peer_of(target))
        await asyncio.sleep(5 * DELAY_S)
        assert [is_open(client) for client, _ in pairs] == [True, True, False, True, True]
        assert closer.is_closing(peer_of(target))  # calls that wait in gRPC core are not answered
        await asyncio.sleep(0.1)
        assert not closer.is_closing(peer_of(target))
        assert len(closed) == 1
        assert pairs[2][1].fileno() >= 0  # the owner of the descriptor closes it


async def test_a_connection_to_another_port_is_not_closed(listener: socket.socket) -> None:
    closed: list[None] = []
    closer = ConnectionCloser(listener.getsockname()[1] - 1, lambda: closed.append(None))
    with ExitStack() as stack:
        client, _ = connect(stack, listener)
        closer.close(peer_of(client))
        await asyncio.sleep(5 * DELAY_S)
        assert is_open(client)
        assert not closed


async def test_connections_that_are_added_during_a_search_are_closed_by_the_next(listener: socket.socket) -> None:
    closed: list[None] = []
    closer = ConnectionCloser(listener.getsockname()[1], lambda: closed.append(None))
    with ExitStack() as stack:
        pairs = [connect(stack, listener) for _ in range(3)]
        for client, _ in pairs:
            closer.close(peer_of(client))
            await asyncio.sleep(DELAY_S / 2)
        await asyncio.sleep(10 * DELAY_S)
        assert not any(is_open(client) for client, _ in pairs)
        assert len(closed) == 3


async def test_without_a_delay_the_connection_is_closed_at_once(listener: socket.socket) -> None:
    closer = ConnectionCloser(listener.getsockname()[1], lambda: None)
    with ExitStack() as stack:
        client, _ = connect(stack, listener)
        assert closer.close(peer_of(client), delay_s=0.0)
        assert client.recv(1) == b""


async def test_a_refused_connection_is_held_before_it_is_closed(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bentos.grpc.connection_closer.HOLD_S", (0.1, 0.2))
    closer = ConnectionCloser(listener.getsockname()[1], lambda: None)
    with ExitStack() as stack:
        client, _ = connect(stack, listener)
        assert [closer.close_after_random_delay(peer_of(client)) for _ in range(3)] == [True, False, False]
        await asyncio.sleep(0.05)
        assert is_open(client)
        await asyncio.sleep(0.5)
        assert not is_open(client)
        assert closer.close_after_random_delay(peer_of(client))  # the port belongs to another connection by then


async def test_a_held_connection_can_be_closed_at_once(listener: socket.socket) -> None:
    closer = ConnectionCloser(listener.getsockname()[1], lambda: None)
    with ExitStack() as stack:
        client, _ = connect(stack, listener)
        closer.close_after_random_delay(peer_of(client))
        assert closer.close(peer_of(client), delay_s=0.0)
        assert client.recv(1) == b""


@pytest.mark.parametrize(
    ("peer", "endpoint"),
    [
        ("ipv4:127.0.0.1:50051", ("127.0.0.1", 50051)),
        ("ipv6:%5B::1%5D:50051", ("::1", 50051)),
        ("ipv6:[2001:DB8::5]:443", ("2001:db8::5", 443)),
        ("ipv6:%5B::ffff:192.0.2.1%5D:443", ("192.0.2.1", 443)),
        ("ipv6:%5Bfe80::1%25eth0%5D:443", ("fe80::1", 443)),
        ("unix:/run/frontdesk.sock", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_the_endpoint_of_a_peer(peer: str, endpoint: tuple[str, int] | None) -> None:
    assert parse_peer(peer) == endpoint


async def test_a_peer_without_an_address_cannot_be_closed() -> None:
    assert not ConnectionCloser(3001, lambda: None).close("unix:")
