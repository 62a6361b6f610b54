"""Canonical target and filters of a request for its audit entry, without free text."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qsl, unquote_to_bytes

from bentos.schemas.query_params import MAX_PARAMETERS
from frontdesk.audit.chain import AuditKey
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


def audit_target(template: str, raw_path: bytes) -> tuple[str, ...]:
    """The kind and the decoded ids of the resource in a path: ("customer", "a/b") for /v1/customers/a%2Fb.

    Every spelling of a path gives the same target. The target of a path without parameters is its template.
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


def audit_filters(query_string: bytes, key: AuditKey, labels: Collection[str]) -> dict[str, str]:
    """The parameters of a query string that select rows.

    Values of a closed set (`labels`: the intents) and times are returned as sent. Other values are replaced by their
    fingerprints, a customer's id by the fingerprint of the customer as a target. With an unknown parameter, `others` is
    the fingerprint of the whole query string.
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError:  # includes UnicodeDecodeError
        return {UNREADABLE: key.fingerprint(query_string.decode("latin-1"))}
    filters = {}
    for name, value in pairs:
        if name in _PAGING:
            continue
        if name == "customer_id":
            filters[name] = key.target_fingerprint("customer", value)
        elif name in ("from", "to"):
            filters[name] = value if _MOMENT.fullmatch(value) else key.fingerprint(value)
        elif name in ("intent", "model_version", *_CLOSED):
            filters[name] = value if value in _CLOSED.get(name, labels) else key.fingerprint(value)
        else:
            filters["others"] = key.fingerprint(query_string.decode("ascii"))
    return filters
