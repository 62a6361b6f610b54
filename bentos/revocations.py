"""Revoking tokens, and how every worker learns of it: a thread of each reads the table anew every few seconds.

While the database cannot be read, what was read last stays in force.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.config import SecuritySettings
from frontdesk.errors import InvalidQuery, Unauthenticated
from frontdesk.security.revocations import EVERY_TENANT, LONGEST_ID, Revocation, Revocations
from frontdesk.security.tokens import Keys, verify
from frontdesk.storage.database import reading
from frontdesk.storage.sql.revoked_tokens import RevokedToken, all_revoked, insert_revoked

CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class RevocationWatch:
    """Keeps `revocations` as the table has them, give or take `interval_s`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: on construction, where the table cannot be read.
    """

    def __init__(self, engine: Engine, revocations: Revocations, interval_s: float) -> None:
        self._engine = engine
        self._revocations = revocations
        self._interval_s = interval_s
        self._is_stale = False
        self._closed = Event()
        self.refresh()
        self._thread = Thread(target=self._run, name="frontdesk-revocations", daemon=True)
        self._thread.start()

    def refresh(self) -> None:
        """Read the table now."""
        with reading(self._engine) as connection:
            rows = all_revoked(connection)
        self._revocations.replace(
            Revocation(row["tenant"], row["jti"], row["subject"], _seconds(row["issued_before"])) for row in rows
        )

    def close(self) -> None:
        self._closed.set()
        self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closed.wait(self._interval_s):
            try:
                self.refresh()
                self._is_stale = False
            except SQLAlchemyError as error:
                if not self._is_stale:
                    _log.warning("Revoked tokens were not read (%s): those read last stay.", type(error).__name__)
                self._is_stale = True


@dataclass(frozen=True, slots=True)
class Revoked:
    """What to revoke: one token by its id, or all of a subject. The tenant is empty for every tenant."""

    tenant: str
    jti: str = ""
    subject: str = ""
    expires_at: datetime | None = None

    def row(self, settings: SecuritySettings) -> RevokedToken:
        """The row to insert.

        A subject's tokens are revoked up to the end of the current second, as `iat` counts, and `leeway_s` more: so far
        ahead of this clock may that of their issuer be, and a token is accepted with such an `iat`.
        """
        now = datetime.now(UTC)
        longest = timedelta(seconds=settings.token_max_ttl_s + settings.leeway_s)
        issued_before = (
            None if self.jti else datetime.fromtimestamp(math.floor(now.timestamp()) + 1 + settings.leeway_s, UTC)
        )
        return RevokedToken(self.tenant, self.jti, self.subject, issued_before, now, self.expires_at or now + longest)

    def about(self) -> dict[str, object]:
        """For the audit log."""
        return {"tenant": self.tenant or "every tenant", "jti": self.jti or None, "subject": self.subject or None}


def revoked_token(token: str, keys: Keys, settings: SecuritySettings) -> Revoked:
    """What revokes this token.

    Raises:
        InvalidQuery: it would be refused as it is, so there is nothing to revoke; the message says why.
    """
    try:
        verified = verify(token, keys, settings)
    except Unauthenticated as error:
        raise InvalidQuery(f"The token is not accepted as it is: {error.message}", hint="Revoke its jti.") from None
    expires_at = datetime.fromtimestamp(verified.until, UTC)
    return Revoked(verified.caller.tenant, verified.token_id, verified.caller.subject, expires_at)


def revoked_id(tenant: str, jti: str) -> Revoked:
    """What revokes the token of this id.

    Raises:
        InvalidQuery: it cannot be the id of a token.
    """
    if not 1 <= len(jti) <= LONGEST_ID or not jti.isprintable():
        raise InvalidQuery(f"A token's jti has 1 to {LONGEST_ID} printable characters.")
    return Revoked(tenant, jti)


def insert(connection: Connection, revoked: Revoked, settings: SecuritySettings) -> RevokedToken:
    """Add the revocation to the table, in the connection's transaction."""
    row = revoked.row(settings)
    insert_revoked(connection, row)
    return row


def seconds_until(issued_before: datetime | None, settings: SecuritySettings) -> float:
    """How long until the second of a revocation is over, at least 0: a later revocation then reaches further."""
    return 0.0 if issued_before is None else max(0.0, issued_before.timestamp() - settings.leeway_s - time.time())


def issued_from(connection: Connection, tenant: str, subject: str) -> datetime | None:
    """From when a token of a subject must be issued not to be among those that were revoked; None: none were."""
    moments = [
        row["issued_before"]
        for row in all_revoked(connection)
        if row["issued_before"] is not None and row["subject"] == subject and row["tenant"] in (tenant, EVERY_TENANT)
    ]
    return max(moments, default=None)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
