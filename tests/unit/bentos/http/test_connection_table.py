"""Caps of a worker's connections, in total and for each address, and eviction."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest

from bentos.http.connection_table import (
    MAX_BUFFERED_BYTES,
    MAX_DERIVED_CONNECTIONS,
    MAX_STARTS_PER_PASS,
    ConnectionLimits,
    ConnectionTable,
    connection_cap,
)
from bentos.http.connection_table import peer_address_or_network as group_of
from tests.support.http_listener import RecordedEvents, listening

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass(eq=False)
class FakeConnection:
    table: ConnectionTable
    may_be_evicted: bool = True
    deadline: float = float("inf")
    progress_at: float = 0.0
    unsent: int = 0
    aborted: list[str] = field(default_factory=list)

    def expire_or_get_unsent_bytes(self, now: float) -> int:
        return self.unsent

    def begin_pipelined_request(self) -> bool:
        return True

    def abort(self, reason: str) -> None:
        self.aborted.append(reason)
        self.table.remove(self)


def table_of(**limits: Any) -> ConnectionTable:
    return ConnectionTable(ConnectionLimits(**limits), RecordedEvents())


def open_from(table: ConnectionTable, *hosts: str, **fields: Any) -> list[FakeConnection]:
    connections = [FakeConnection(table, **fields) for _ in hosts]
    for connection, host in zip(connections, hosts, strict=True):
        assert table.admit(connection, host) is None
    return connections


def test_an_address_has_at_most_its_cap_of_connections() -> None:
    table = table_of(max_connections=10, max_per_address=2)
    first, _ = open_from(table, "10.0.0.1", "10.0.0.1")
    assert table.admit(FakeConnection(table), "10.0.0.1") == "address_cap"
    assert table.admit(FakeConnection(table), "10.0.0.2") is None
    table.remove(first)
    assert table.admit(FakeConnection(table), "10.0.0.1") is None


def test_addresses_of_one_ipv6_network_share_a_cap() -> None:
    assert group_of("2001:db8::1") == group_of("2001:db8::ffff:1%eth0") != group_of("2001:db8:0:1::1")
    assert group_of("::ffff:10.0.0.1") == group_of("10.0.0.1") == "10.0.0.1"


def test_a_trusted_proxy_has_no_cap() -> None:
    table = table_of(max_connections=4, max_per_address=1, trusted=(ip_network("10.1.0.0/16"),))
    open_from(table, "10.1.0.1", "10.1.0.1", "10.1.0.1", "10.2.0.1")
    assert table.admit(FakeConnection(table), "10.2.0.1") == "address_cap"


def test_at_the_cap_the_oldest_idle_connection_of_the_largest_address_is_evicted() -> None:
    table = table_of(max_connections=4, max_per_address=3)
    busy, oldest, newest, alone = open_from(table, "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2")
    busy.may_be_evicted = False
    assert table.admit(FakeConnection(table), "10.0.0.3") is None
    assert (busy.aborted, oldest.aborted, newest.aborted, alone.aborted) == ([], ["evicted"], [], [])


def test_at_the_cap_an_address_cannot_evict_one_with_as_few_connections() -> None:
    table = table_of(max_connections=2, max_per_address=2)
    open_from(table, "10.0.0.1", "10.0.0.2")
    assert table.admit(FakeConnection(table), "10.0.0.1") == "cap"


def test_at_the_cap_no_connection_with_a_request_in_progress_is_evicted() -> None:
    table = table_of(max_connections=2, max_per_address=2)
    open_from(table, "10.0.0.1", "10.0.0.1", may_be_evicted=False)
    assert table.admit(FakeConnection(table), "10.0.0.2") == "cap"


def test_unread_responses_beyond_the_memory_bound_are_aborted_the_longest_stalled_first() -> None:
    table = table_of()
    size = MAX_BUFFERED_BYTES // 2
    old, fresh, small = open_from(table, "10.0.0.1", "10.0.0.1", "10.0.0.1", deadline=0.0)
    old.progress_at, old.unsent = 90.0, size
    fresh.progress_at, fresh.unsent = 99.9, size
    small.progress_at, small.unsent = 95.0, 1000
    table.sweep(100.0)
    assert (old.aborted, fresh.aborted, small.aborted) == (["response_memory"], [], [])


@pytest.mark.parametrize(
    ("configured", "descriptors", "cap"),
    [
        (None, 1024, 768),
        (None, 400, 272),
        (None, 20_000, MAX_DERIVED_CONNECTIONS),
        (None, 64, 16),
        (100, 1024, 100),
        (10_000, 1024, 768),
        (10_000, 20_000, 10_000),
        (None, resource.RLIM_INFINITY, MAX_DERIVED_CONNECTIONS),
    ],
)
def test_the_cap_reserves_descriptors_for_everything_else(configured: int | None, descriptors: int, cap: int) -> None:
    assert connection_cap(configured, descriptors) == cap


class TestRealConnections:
    async def test_a_refused_client_can_read_the_reason(self) -> None:
        async with listening(max_connections=2, max_per_address=1) as listener:
            held = await listener.connect("127.8.0.1")
            reader, writer = await listener.connect("127.8.0.1")
            writer.write(GET)
            answered = await asyncio.wait_for(reader.read(), 3)
            assert answered.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in answered
            assert listener.events.reasons == ["address_cap"]
            assert len(listener.table) == 1
            held[1].close()
            writer.close()

    async def test_ordinary_clients_are_served_while_attackers_hold_every_connection(self) -> None:
        async with listening(max_connections=40, max_per_address=10, header_timeout_s=30.0) as listener:
            strangers = [await listener.connect(f"127.8.0.{1 + number % 5}") for number in range(60)]
            assert len(listener.table) <= 40
            for _ in range(20):
                reader, writer = await listener.connect("127.8.1.1")
                writer.write(GET)
                assert (await asyncio.wait_for(reader.readuntil(b"ok"), 3)).startswith(b"HTTP/1.1 200 ")
                writer.close()
                await writer.wait_closed()
            assert "evicted" in listener.events.reasons
            for _, writer in strangers:
                writer.close()


async def test_requests_that_arrive_together_are_started_in_portions() -> None:
    """Each portion in a separate pass of the event loop, in the order of arrival."""
    table, started = table_of(), list[int]()
    portions = []
    for number in range(3 * MAX_STARTS_PER_PASS + 1):
        table.start_request(lambda number=number: started.append(number), now=1.0)
    portions.append(len(started))
    table.start_request(lambda: started.append(-1), now=2.0)  # in a later pass, but after those that wait
    for _ in range(4):
        await asyncio.sleep(0)
        portions.append(len(started))
    total = 3 * MAX_STARTS_PER_PASS + 2
    assert portions == [MAX_STARTS_PER_PASS, 2 * MAX_STARTS_PER_PASS, 3 * MAX_STARTS_PER_PASS, total, total]
    assert started == [*range(total - 1), -1]


async def test_requests_of_different_passes_are_started_at_once() -> None:
    table, started = table_of(), list[float]()
    for number in range(5 * MAX_STARTS_PER_PASS):
        table.start_request(lambda: started.append(0.0), now=float(number))
    assert len(started) == 5 * MAX_STARTS_PER_PASS
