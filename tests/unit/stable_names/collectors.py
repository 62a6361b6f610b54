"""All names by kind, and the comparison with stable_names.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from tests.unit.stable_names import operations, public, stored

FILE = Path(__file__).parent.with_suffix(".yaml")

COLLECTORS: Mapping[str, Callable[[], Iterator[str]]] = {
    "tables": stored.tables,
    "migrations": stored.migrations,
    "stored JSON": stored.stored_json,
    "answer": public.answer,
    "requests": public.requests,
    "bundle": stored.bundle,
    "metrics": operations.metrics,
    "log lines": operations.log_lines,
    "audit actions": operations.audit_actions,
    "problems": public.problems,
    "scopes": public.scopes,
    "settings": operations.settings,
    "variables": operations.variables,
    "files": stored.files,
    "services": public.services,
    "gRPC": public.grpc_schema,
    "routes": public.routes,
    "commands": public.commands,
}
IN_ORDER = ("migrations",)
"""Kinds whose order matters; the others are compared as sets."""


def written() -> dict[str, list[str]]:
    """The content of stable_names.yaml."""
    content: dict[str, list[str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


def settled(kind: str, names: Sequence[str]) -> list[str]:
    """The names as they are written: sorted and without duplicates, unless their order matters."""
    return list(names) if kind in IN_ORDER else sorted(set(names))


def differences(kind: str, expected: Sequence[str], found: Sequence[str]) -> list[str]:
    """One line for each name that is missing from the code or not in the file; empty where both agree."""
    missing = [f"{kind}: missing: {name}" for name in expected if name not in set(found)]
    unexpected = [f"{kind}: unexpected: {name}" for name in found if name not in set(expected)]
    if not missing and not unexpected and kind in IN_ORDER and list(expected) != list(found):
        return [f"{kind}: the order is {list(found)}, not {list(expected)}"]
    return missing + unexpected


def collect() -> dict[str, list[str]]:
    """All names, by kind."""
    return {kind: list(collector()) for kind, collector in COLLECTORS.items()}
