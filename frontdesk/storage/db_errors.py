"""Classify database errors: is the row the cause, or the database?

A row that the database will never accept must not be retried forever, and an unavailable database must not cause rows
to be rejected. Only the name of an error is shown, because database errors contain rows and so the texts of customers.
"""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from frontdesk.errors import FrontdeskError, StorageUnavailable

_TOO_LARGE_FOR_AN_INDEX = "54000"
_TRANSIENT = frozenset(("40001", "40P01"))  # serialization failure, deadlock: a retry may succeed


class StoreUnavailable(Exception):
    """A store wrote nothing: it is unreachable, full or damaged. Another store may be available."""


def is_row_error(error: Exception) -> bool:
    """Return whether the row is the cause, so that the database will never accept it."""
    if isinstance(error, (IntegrityError, DataError)):
        return True
    if isinstance(error, DBAPIError):
        return _error_code(error) == _TOO_LARGE_FOR_AN_INDEX
    if isinstance(error, StatementError):
        return True  # a time without a time zone
    return not isinstance(error, (OSError, SQLAlchemyError))  # a text that cannot be encoded


def is_transient(error: Exception) -> bool:
    """Return whether an immediate retry may succeed: after a deadlock, or on a connection that was already broken."""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _error_code(error) in _TRANSIENT)


def error_name(error: Exception) -> str:
    """Return SQLITE_FULL or the like, a PostgreSQL code such as 53100, or the name of a class."""
    return _error_code(error) or type(error.orig if isinstance(error, DBAPIError) else error).__name__


def row_refused_error(error: Exception) -> FrontdeskError:
    """Return the error for a request whose own row the database rejected."""
    return StorageUnavailable(f"The record could not be stored ({error_name(error)}).", hint="Try again later.")


def _error_code(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code: str | None = getattr(cause, "sqlite_errorname", None) or getattr(cause, "pgcode", None)
    return code
