"""Customers' histories out of the record itself: right for any number of workers, and as fresh as its last commit.

One thread a process asks the database, over a connection that it keeps; a request waits for it no longer than it may
and goes on without. Knows nothing of what a history is worth, nor of the statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.circuit_breaker import OPTIONAL_DEPENDENCY, CircuitBreaker
from frontdesk.features.customer_history import CustomerHistory
from frontdesk.storage.sql.contacts_and_ratings import history_as_of


class SqlCustomerHistory:
    """Reads the tables of `engine`. Used from one event loop; `close` it before the engine."""

    def __init__(self, engine: Engine, *, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s
        self._breaker = CircuitBreaker(OPTIONAL_DEPENDENCY)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="frontdesk-customers")
        self._connection: Connection | None = None  # the thread's own

    async def load_histories(
        self, tenant: str, customer_ids: Collection[str], at: datetime
    ) -> Mapping[str, CustomerHistory] | None:
        """Each customer's history before `at`; None where the database cannot tell in time."""
        ticket = self._breaker.admit()
        if ticket is None:
            return None
        report = self._breaker.discard  # unless the read ends: its caller may be cancelled
        try:
            future = asyncio.get_running_loop().run_in_executor(self._thread, self._read, tenant, customer_ids, at)
            async with asyncio.timeout(self._timeout_s):
                histories = await future
            report = self._breaker.record_success
            return histories
        except (TimeoutError, SQLAlchemyError):
            report = self._breaker.record_failure
            return None
        finally:
            report(ticket)

    def close(self) -> None:
        """Let go of the connection. What hangs is not waited for: it only reads."""
        self._thread.submit(self._close_connection)
        self._thread.shutdown(wait=False)

    def _read(self, tenant: str, customer_ids: Collection[str], at: datetime) -> dict[str, CustomerHistory]:
        try:
            connection = self._connection = self._connection or self._connect()
            with connection.begin():
                return {customer_id: history_as_of(connection, tenant, customer_id, at) for customer_id in customer_ids}
        except BaseException:
            self._close_connection()
            raise

    def _connect(self) -> Connection:
        return self._engine.connect().execution_options(frontdesk_reads_only=True)

    def _close_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
