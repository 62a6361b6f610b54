"""Revocation of tokens. A thread in every worker reloads the table of revocations every few seconds.

While the database is unavailable, the last loaded revocations stay in force.
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
from frontdesk.security.revocations import EVERY_TENANT, MAX_ID_LENGTH, Revocation, Revocations
from frontdesk.security.tokens import TokenKeys, verify_token
from frontdesk.storage.database import begin_reading
from frontdesk.storage.sql.revoked_tokens import RevokedToken, all_revoked_tokens, insert_revoked_token

CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that a worker prints it


class RevocationWatch:
    """Reloads `revocations` from the table every `interval_s` seconds.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the table cannot be read when the object is created.
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
        """Reload the table now."""
        with begin_reading(self._engine) as connection:
            rows = all_revoked_tokens(connection)
        self._revocations.replace(
            Revocation(row["tenant"], row["jti"], row["subject"], _unix_seconds(row["issued_before"])) for row in rows
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
                    _log.warning(
                        "Revoked tokens could not be reloaded (%s); the last loaded ones stay in force.",
                        type(error).__name__,
                    )
                self._is_stale = True


@dataclass(frozen=True, slots=True)
class RevocationTarget:
    """One token by its id, or all tokens of a subject, to revoke. An empty tenant means every tenant."""

    tenant: str
    jti: str = ""
    subject: str = ""
    expires_at: datetime | None = None

    def row(self, settings: SecuritySettings) -> RevokedToken:
        """The row to insert.

        A subject's tokens are revoked up to the end of the current second (the resolution of `iat`) plus `leeway_s`:
        the issuer's clock may be ahead by that much, and tokens with such an `iat` are accepted.
        """
        now = datetime.now(UTC)
        max_life = timedelta(seconds=settings.token_max_ttl_s + settings.leeway_s)
        issued_before = (
            None if self.jti else datetime.fromtimestamp(math.floor(now.timestamp()) + 1 + settings.leeway_s, UTC)
        )
        return RevokedToken(self.tenant, self.jti, self.subject, issued_before, now, self.expires_at or now + max_life)

    def audit_details(self) -> dict[str, object]:
        """Details for the audit log."""
        return {"tenant": self.tenant or "every tenant", "jti": self.jti or None, "subject": self.subject or None}


def target_from_token(token: str, keys: TokenKeys, settings: SecuritySettings) -> RevocationTarget:
    """The target that revokes this token.

    Raises:
        InvalidQuery: the token is not accepted; the message has the reason.
    """
    try:
        verified = verify_token(token, keys, settings)
    except Unauthenticated as error:
        raise InvalidQuery(f"The token is not accepted anyway: {error.message}", hint="Revoke its jti.") from None
    expires_at = datetime.fromtimestamp(verified.valid_until, UTC)
    return RevocationTarget(verified.caller.tenant, verified.token_id, verified.caller.subject, expires_at)


def target_from_token_id(tenant: str, jti: str) -> RevocationTarget:
    """The target that revokes the token with this id.

    Raises:
        InvalidQuery: `jti` is empty, too long or not printable.
    """
    if not 1 <= len(jti) <= MAX_ID_LENGTH or not jti.isprintable():
        raise InvalidQuery(f"A token's jti has 1 to {MAX_ID_LENGTH} printable characters.")
    return RevocationTarget(tenant, jti)


def insert_revocation(connection: Connection, revoked: RevocationTarget, settings: SecuritySettings) -> RevokedToken:
    """Insert the revocation within the connection's transaction; returns the row."""
    row = revoked.row(settings)
    insert_revoked_token(connection, row)
    return row


def seconds_until_revoked_second_ends(issued_before: datetime | None, settings: SecuritySettings) -> float:
    """Seconds until the second in which tokens were revoked has ended; 0 if it has, or for a single token."""
    return 0.0 if issued_before is None else max(0.0, issued_before.timestamp() - settings.leeway_s - time.time())


def earliest_accepted_issue_time(connection: Connection, tenant: str, subject: str) -> datetime | None:
    """Earliest issue time of accepted tokens of the subject; None if its tokens were never revoked."""
    moments = [
        row["issued_before"]
        for row in all_revoked_tokens(connection)
        if row["issued_before"] is not None and row["subject"] == subject and row["tenant"] in (tenant, EVERY_TENANT)
    ]
    return max(moments, default=None)


def _unix_seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
