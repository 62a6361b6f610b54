"""What an audit entry says of a request: its target in one canonical form, and its filters without customers' words."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qsl, unquote_to_bytes

from bentos.gateway.query_string import MOST_PARAMETERS
from frontdesk.security.audit import AuditKey
from frontdesk.types import Action, PriorityLevel

ROUTE = "route"
UNREADABLE = "unreadable"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.,Zz+-]{0,30}")
_CLOSED = {
    "sentiment": frozenset(("negative", "neutral", "positive")),
    "priority": frozenset(PriorityLevel),
    "decision": frozenset(Action),
    "format": frozenset(("csv", "jsonl")),
}
_PAGING = ("cursor", "limit")


def target_of(template: str, raw_path: bytes) -> tuple[str, ...]:
    """The kind of thing that a path names and its ids, decoded: ("customer", "a/b") for /v1/customers/a%2Fb.

    Every spelling of a path gives the same target. A path without parameters is named by its template.
    """
    names = template.split("/")
    parts = [part for name, part in zip(names, raw_path.split(b"/"), strict=False) if name.startswith("{")]
    if not parts:
        return ROUTE, template
    kind = next(name for name in reversed(names) if name.startswith("{"))[1:-1].removesuffix("_id")
    try:
        return kind, *(unquote_to_bytes(part).decode() for part in parts)
    except UnicodeDecodeError:
        return UNREADABLE, kind, raw_path.decode("latin-1")


def filters_of(query_string: bytes, key: AuditKey, labels: Collection[str]) -> dict[str, str]:
    """The parameters of a query string that say which rows were read.

    A value stands as it was sent where it is one of a closed set: `labels` are the known intents. Any other value is
    replaced by its fingerprint, a customer's id by that of the customer as a target.
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), True, max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:  # UnicodeDecodeError is one
        return {UNREADABLE: key.fingerprint(query_string.decode("latin-1"))}
    found = {}
    for name, value in pairs:
        if name in _PAGING:
            continue
        if name == "customer_id":
            found[name] = key.target("customer", value)
        elif name in ("from", "to"):
            found[name] = value if _MOMENT.fullmatch(value) else key.fingerprint(value)
        elif name in ("intent", "model_version", *_CLOSED):
            found[name] = value if value in _CLOSED.get(name, labels) else key.fingerprint(value)
        else:
            found["others"] = key.fingerprint(query_string.decode("ascii"))
    return found
