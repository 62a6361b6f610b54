"""Checks of a call's metadata: their size, and fields that may occur only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from frontdesk.errors import InvalidQuery, TooLarge

SINGLE_FIELDS = ("authorization", "idempotency-key", "x-request-deadline-ms", "x-request-id")
FIELD_OVERHEAD_BYTES = 32
"""Added to the size of each header field's name and value (RFC 9113, 6.5.2)."""


def check_metadata(pairs: Sequence[tuple[str, Any]], by_name: Mapping[str, Any], max_bytes: int) -> None:
    """Refuse metadata that are too large or ambiguous. `by_name` has one value for each name in `pairs`.

    Raises:
        TooLarge: the metadata have more than `max_bytes`.
        InvalidQuery: one of `SINGLE_FIELDS` is repeated.
    """
    size = FIELD_OVERHEAD_BYTES * len(pairs)
    for name, value in pairs:
        size += len(name) + len(value)
    if size > max_bytes:
        raise TooLarge(f"The metadata has more than {max_bytes} bytes.", hint="Send less.")
    if len(by_name) == len(pairs):
        return
    names = [name for name, _ in pairs]
    for field in SINGLE_FIELDS:
        if names.count(field) > 1:
            raise InvalidQuery(f"The metadata field {field} is repeated.", hint="Send it once.")
