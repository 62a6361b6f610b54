"""The errors that Frontdesk raises on purpose, as a tree.

    FrontdeskError
    ├── InvalidQuery          the request is invalid
    ├── Unauthenticated       the token is missing or not valid
    ├── Forbidden             a valid token without the scope
    ├── NotFound              the object does not exist, or belongs to another tenant
    ├── MethodNotAllowed      the route exists, but not for this method
    ├── TooLarge              more bytes than the limit
    ├── UnsupportedMedia      the body is not JSON
    ├── IdempotencyKeyInFlight a request with the same Idempotency-Key is in progress
    ├── IdempotencyKeyReused  the Idempotency-Key was used for another request
    ├── RateLimited           a rate limit of the caller, of its tenant or of all callers is exceeded
    ├── Overloaded            the queue cannot meet its deadlines; try again later
    ├── DeadlineExceeded      the deadline passed before the answer was ready
    ├── StorageUnavailable    the record could not be written, so nothing is acknowledged
    ├── BundleError           a model bundle is missing, damaged or incompatible
    ├── ConfigurationError    a setting is wrong; the message names it
    └── DataError             training data cannot be used; the message names the rows

This package does not know HTTP or gRPC statuses: `bentos/admission/errors.py` maps kinds to them.
Messages never contain text of a customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    """Base class. `message` states the problem, `hint` the remedy."""

    kind: ClassVar[ErrorKind]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., FrontdeskError], tuple[str]]:
        """Keep keyword arguments when the error is pickled between processes: plain exceptions lose them."""
        attributes = {name: value for name, value in vars(self).items() if name != "message"}
        return partial(type(self), **attributes), (self.message,)


MAX_VIOLATIONS = 20


class InvalidQuery(FrontdeskError):
    """`violations` are (field, problem) of the first `MAX_VIOLATIONS` violated rules."""

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
    """`allowed` are the methods of the route."""

    kind = ErrorKind.METHOD_NOT_ALLOWED

    def __init__(self, message: str, *, allowed: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.allowed = allowed


class TooLarge(FrontdeskError):
    kind = ErrorKind.TOO_LARGE


class UnsupportedMedia(FrontdeskError):
    kind = ErrorKind.UNSUPPORTED_MEDIA


class IdempotencyKeyInFlight(FrontdeskError):
    kind = ErrorKind.KEY_IN_FLIGHT


class IdempotencyKeyReused(FrontdeskError):
    kind = ErrorKind.KEY_REUSED


class RateLimited(FrontdeskError):
    """`retry_after_s` is the time in seconds until the next request can be accepted."""

    kind = ErrorKind.RATE_LIMITED

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """The size of a batch that would be accepted, in messages like those of the refused one."""

    messages: int
    characters: int


class Overloaded(FrontdeskError):
    """`retry_after_s` is the time in seconds after which a retry can succeed.

    `accepted` is set for a batch that is refused for its size: a smaller one would be accepted now.
    """

    kind = ErrorKind.OVERLOADED
    accepted: AcceptedBatch | None = None

    def __init__(
        self, message: str, *, retry_after_s: float, hint: str = "", accepted: AcceptedBatch | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.accepted = accepted


class DeadlineExceeded(FrontdeskError):
    kind = ErrorKind.DEADLINE_EXCEEDED


class StorageUnavailable(FrontdeskError):
    kind = ErrorKind.STORAGE_UNAVAILABLE


class BundleError(FrontdeskError):
    """`field` is the file or the manifest field that is wrong."""

    kind = ErrorKind.BUNDLE

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigurationError(FrontdeskError):
    kind = ErrorKind.CONFIGURATION


class DataError(FrontdeskError):
    kind = ErrorKind.DATA
