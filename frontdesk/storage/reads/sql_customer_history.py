"""Customer histories from the database: correct for any number of workers, and as current as its last commit.

One thread per process queries the database on a connection that stays open. A request waits at most `timeout_s` and
continues without the history.
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
    """Reads histories from `engine`. Used from one event loop; `close` it before the engine."""

    def __init__(self, engine: Engine, *, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s
        self._breaker = CircuitBreaker(OPTIONAL_DEPENDENCY)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="frontdesk-customers")
        self._connection: Connection | None = None  # used by the thread only

    async def load_histories(
        self, tenant: str, customer_ids: Collection[str], at: datetime
    ) -> Mapping[str, CustomerHistory] | None:
        """Return each customer's history before `at`; None if the database does not respond in time."""
        permit = self._breaker.admit()
        if permit is None:
            return None
        report = self._breaker.discard  # if the caller is cancelled before the read ends
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
            report(permit)

    def close(self) -> None:
        """Close the connection. Does not wait for a blocked statement, because it only reads."""
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
