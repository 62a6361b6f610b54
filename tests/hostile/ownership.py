"""Who may do what, as a table: every route and RPC of the server's own table, every role, two tenants.

The expectations follow from the scopes alone. Where a path names something it is the owner's; the stranger is of
another tenant, with the same scopes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bentos.admission.routes import ROUTES, RPCS, Route, Rpc
from frontdesk.identifiers import uuid7
from frontdesk.security.tokens import SCOPES
from tests.support.records import CREATED_AT
from tests.support.stored_rows import query_row

OWNER, STRANGER = "owner", "stranger"
MARK = "zqxowned"
"""Stands in all that the owner has, and so in nothing that the stranger is shown."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a caller's token says: `scopes` None is no token at all."""

    name: str
    scopes: frozenset[str] | None


ROLES = (
    Role("no token", None),
    Role("no scope", frozenset(["scope-of-another-product"])),
    *(Role(scope, frozenset([scope])) for scope in SCOPES),
    Role("all others", frozenset(SCOPES)),  # every scope but the one that is needed
    Role("all", frozenset(SCOPES)),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One request: `target` is the owner's, and of this cell alone."""

    entry: Route | Rpc
    role: Role
    tenant: str
    target: dict[str, str] = field(default_factory=dict)

    @property
    def scopes(self) -> frozenset[str] | None:
        if self.role.name == "all others" and self.role.scopes is not None:
            return self.role.scopes - {str(self.entry.scope)}
        return self.role.scopes

    @property
    def granted(self) -> bool:
        return self.entry.scope is None or (self.scopes is not None and self.entry.scope in self.scopes)

    @property
    def path(self) -> str:
        """Where to ask, its parameters filled in."""
        if isinstance(self.entry, Rpc):
            return self.entry.path
        return self.entry.template.format(**self.target)

    @property
    def expected(self) -> int:
        """The HTTP status; gRPC's code is that of the same kind."""
        if not self.granted:
            return 401 if self.scopes is None else 403
        return 404 if self.tenant == STRANGER and self.names_something_owned and not self.erases else 200

    @property
    def names_something_owned(self) -> bool:
        return isinstance(self.entry, Route) and any(
            name in self.entry.template for name in ("{query_id}", "{customer_id}", "{session_id}", "{event_id}")
        )

    @property
    def erases(self) -> bool:
        """Erasure of a foreign id succeeds with 0 rows: ids of customers and sessions are scoped to the tenant."""
        return isinstance(self.entry, Route) and self.entry.methods == ("DELETE",)


def cells(entries: Sequence[Route | Rpc], target: dict[str, str]) -> Iterator[Cell]:
    """Every entry, role and tenant; `target` is what all of them may name, such as the model."""
    for entry in entries:
        for role in ROLES:
            for tenant in (OWNER, STRANGER):
                event_id = uuid7()
                own = {"query_id": event_id, "event_id": event_id, "customer_id": f"{MARK}-{event_id}", "sink": "file"}
                own["session_id"] = f"{MARK}-session-{event_id}"
                yield Cell(entry, role, tenant, {**target, **own})


def routes(target: dict[str, str]) -> list[Cell]:
    return list(cells(ROUTES, target))


def rpcs() -> list[Cell]:
    return list(cells(RPCS, {}))


def query_of(cell: Cell) -> dict[str, Any]:
    """The owner's row that the cell's path names."""
    named = {"id": cell.target["query_id"], "customer_id": cell.target["customer_id"]}
    named["session_id"] = cell.target["session_id"]
    return query_row(tenant=OWNER, query_text=f"{MARK} words", **named)


def letter_of(cell: Cell) -> dict[str, Any]:
    """The owner's dead letter that the cell's path names."""
    row = {"event_id": cell.target["event_id"], "sink": "file", "tenant": OWNER, "type": "query.answered"}
    row |= {"customer_id": cell.target["customer_id"], "payload": f'{{"words":"{MARK}"}}', "created_at": CREATED_AT}
    return row | {"attempts": 8, "next_attempt_at": CREATED_AT, "is_dead": True, "last_error": "ValueError"}


def format_table(answers: Sequence[tuple[Cell, object]]) -> str:
    """For people: a line for each entry, a column for each role; own/another's where they differ."""
    by_entry: dict[str, dict[str, list[str]]] = {}
    for cell, answer in answers:
        entry = cell.entry
        name = entry.path if isinstance(entry, Rpc) else f"{'/'.join(entry.methods)} {entry.template}"
        by_entry.setdefault(f"{name}  [{entry.scope or 'open'}]", {}).setdefault(cell.role.name, []).append(str(answer))
    cells_by_entry = {
        name: ["/".join(dict.fromkeys(roles[role.name])) for role in ROLES] for name, roles in by_entry.items()
    }
    lines = [
        ["", *(role.name for role in ROLES)],
        *([name, *format_table] for name, format_table in cells_by_entry.items()),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
