"""Expected access control: every route and RPC of the server's table, every role, two tenants.

The expectations follow from the scopes. Ids in paths belong to the owner; the stranger belongs to another tenant and
has the same scopes.
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
"""Part of all data of the owner, so it must not occur in a response to the stranger."""


@dataclass(frozen=True, slots=True)
class Role:
    """The scopes of a caller's token; None means no token."""

    name: str
    scopes: frozenset[str] | None


ROLES = (
    Role("no token", None),
    Role("no scope", frozenset(["scope-of-another-product"])),
    *(Role(scope, frozenset([scope])) for scope in SCOPES),
    Role("all others", frozenset(SCOPES)),  # every scope except the required one
    Role("all", frozenset(SCOPES)),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One request. `target` has ids of the owner that only this cell uses."""

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
        """The path with its parameters."""
        if isinstance(self.entry, Rpc):
            return self.entry.path
        return self.entry.template.format(**self.target)

    @property
    def expected(self) -> int:
        """The expected HTTP status; the gRPC code is that of the same kind."""
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
    """All combinations of entry, role and tenant; `target` has values for all of them, such as the model."""
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
    """A table with a line for each entry and a column for each role; owner/stranger if they differ."""
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
