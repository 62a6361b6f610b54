"""Everything that can go wrong on purpose, drawn as a tree.

    FrontdeskError
    ├── InvalidQuery          the caller's message cannot be accepted
    ├── Unauthenticated       no token, or one that is not valid
    ├── Forbidden             a valid token without the scope
    ├── NotFound              no such thing, or not this tenant's
    ├── MethodNotAllowed      the route exists, but not for this method
    ├── TooLarge              more bytes than the limit
    ├── UnsupportedMedia      a body that is not JSON
    ├── KeyInFlight           a request with the same Idempotency-Key is being answered just now
    ├── KeyReused             the Idempotency-Key was used for another request
    ├── RateLimited           the caller, its tenant or all together have asked more often than a limit allows
    ├── Overloaded            the queue cannot meet its deadlines; try again later
    ├── DeadlineExceeded      the caller's time was over before an answer was there
    ├── StorageUnavailable    the record could not be written, so nothing is acknowledged
    ├── BundleError           a model bundle is missing, damaged or of another making
    ├── ConfigurationError    a setting is wrong; the message names it
    └── DataError             training data cannot be used; the message names the rows

The core speaks of kinds, never of HTTP or gRPC statuses: `bentos/admission/errors.py` translates.
Messages never contain a customer's words.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import ClassVar


class ErrorKind(StrEnum):
    """A stable, machine-readable name for each kind of failure."""

    INVALID_QUERY = "invalid-query"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA = "unsupported-media"
    KEY_IN_FLIGHT = "key-in-flight"
    KEY_REUSED = "key-reused"
    RATE_LIMITED = "rate-limited"
    OVERLOADED = "overloaded"
    DEADLINE_EXCEEDED = "deadline-exceeded"
    STORAGE_UNAVAILABLE = "storage-unavailable"
    BUNDLE = "bundle"
    CONFIGURATION = "configuration"
    DATA = "data"


class FrontdeskError(Exception):
    """The root. `message` says what is wrong, `hint` what to do about it."""

    kind: ClassVar[ErrorKind]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., FrontdeskError], tuple[str]]:
        """Errors cross process boundaries whole: exceptions by themselves forget what is given by keyword."""
        attributes = {name: value for name, value in vars(self).items() if name != "message"}
        return partial(type(self), **attributes), (self.message,)


MAX_VIOLATIONS = 20


class InvalidQuery(FrontdeskError):
    """An invalid request. `violations` lists (where, what) for the first `MAX_VIOLATIONS` broken rules."""

    kind = ErrorKind.INVALID_QUERY

    def __init__(self, message: str, *, violations: tuple[tuple[str, str], ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.violations = violations[:MAX_VIOLATIONS]


class Unauthenticated(FrontdeskError):
    kind = ErrorKind.UNAUTHENTICATED


class Forbidden(FrontdeskError):
    kind = ErrorKind.FORBIDDEN


class NotFound(FrontdeskError):
    kind = ErrorKind.NOT_FOUND


class MethodNotAllowed(FrontdeskError):
    """`allowed` are the methods that the route has."""

    kind = ErrorKind.METHOD_NOT_ALLOWED

    def __init__(self, message: str, *, allowed: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.allowed = allowed


class TooLarge(FrontdeskError):
    kind = ErrorKind.TOO_LARGE


class UnsupportedMedia(FrontdeskError):
    kind = ErrorKind.UNSUPPORTED_MEDIA


class KeyInFlight(FrontdeskError):
    kind = ErrorKind.KEY_IN_FLIGHT


class KeyReused(FrontdeskError):
    kind = ErrorKind.KEY_REUSED


class RateLimited(FrontdeskError):
    """`retry_after_s` is the earliest time at which a request may pass."""

    kind = ErrorKind.RATE_LIMITED

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Overloaded(FrontdeskError):
    """`retry_after_s` is the earliest time at which trying again makes sense."""

    kind = ErrorKind.OVERLOADED

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(FrontdeskError):
    kind = ErrorKind.DEADLINE_EXCEEDED


class StorageUnavailable(FrontdeskError):
    kind = ErrorKind.STORAGE_UNAVAILABLE


class BundleError(FrontdeskError):
    """`field` names the file or the manifest field that is not as it should be."""

    kind = ErrorKind.BUNDLE

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigurationError(FrontdeskError):
    kind = ErrorKind.CONFIGURATION


class DataError(FrontdeskError):
    kind = ErrorKind.DATA
