"""What a failed statement means: is it the row, or is it the database?

A row that the database will never take must not be tried for ever, and a database that is away must not make rows be
thrown out. Only the name of an error is ever shown: database errors carry rows, hence customers' words.
"""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from frontdesk.errors import FrontdeskError, StorageUnavailable

_TOO_LARGE_FOR_AN_INDEX = "54000"
_TRANSIENT = frozenset(("40001", "40P01"))  # serialization failure, deadlock: the same again may well succeed


class StoreUnavailable(Exception):
    """A store took nothing: it cannot be reached, is full, or is not as it should be. Another one may be there."""


def is_row_error(error: Exception) -> bool:
    """Would the database refuse this row also tomorrow?"""
    if isinstance(error, (IntegrityError, DataError)):
        return True
    if isinstance(error, DBAPIError):
        return _error_code(error) == _TOO_LARGE_FOR_AN_INDEX
    if isinstance(error, StatementError):
        return True  # a moment without a time zone
    return not isinstance(error, (OSError, SQLAlchemyError))  # a text that cannot be encoded


def is_transient(error: Exception) -> bool:
    """Is it worth trying again at once: a connection that was broken since its last use, a deadlock?"""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _error_code(error) in _TRANSIENT)


def error_name(error: Exception) -> str:
    """SQLITE_FULL, a PostgreSQL code such as 53100, or a class."""
    return _error_code(error) or type(error.orig if isinstance(error, DBAPIError) else error).__name__


def row_refused_error(error: Exception) -> FrontdeskError:
    """What a request is told whose own row was refused."""
    return StorageUnavailable(f"The record could not be stored ({error_name(error)}).", hint="Try again later.")


def _error_code(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code: str | None = getattr(cause, "sqlite_errorname", None) or getattr(cause, "pgcode", None)
    return code
