"""Names that operators use: metrics, log lines, audit actions, settings and variables."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from tests.support.source_tree import (
    called_name,
    definition,
    literals,
    modules_with,
    nodes,
)

LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


def metrics() -> Iterator[str]:
    """Metric families with type and label names, of every class that registers them."""
    for family in (family for registry in _registries() for family in registry._collector_to_names):
        (described,) = family.describe()  # type: ignore[attr-defined]
        yield f"{described.name} ({described.type}): {', '.join(family._labelnames) or 'no label'}"  # type: ignore[attr-defined]


def _registries() -> Iterator[CollectorRegistry]:
    for module in modules_with("prometheus_client import"):
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and not value.__name__.startswith("_"):
                parameters = inspect.signature(value).parameters
                if "registry" in parameters:
                    registry = CollectorRegistry()
                    required = {name: "x" for name, one in parameters.items() if one.default is one.empty}
                    value(**{**required, "registry": registry})
                    yield registry


def log_lines() -> Iterator[str]:
    """The event of each log line: its first argument, or the format of a sentence."""
    for node in nodes():
        if isinstance(node, ast.Call) and called_name(node) in LEVELS and node.args and _is_logger(node.func):
            for text in literals(node.args[0]):
                fields = [f"{key.arg}=" for key in node.keywords if key.arg and " " not in text]
                yield " ".join([text, *fields])


def _is_logger(function: ast.expr) -> bool:
    owner = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id.strip("_") in ("log", "logger")


def audit_actions() -> Iterator[str]:
    """Actions of the audit log: of routes, commands and jobs."""
    for route in definition("ROUTES"):
        if route.audited:
            yield route.audited
            yield f"{route.audited}{definition('OUTCOME')}"
        if route.counted:
            yield route.counted
    for node in nodes():
        if isinstance(node, ast.Call) and called_name(node) in (
            "audit_if_possible",
            "commit_audit_entries",
            "write_audit_entry",
            "_entry",
            "add",
        ):
            yield from (text for text in _second_argument(node) if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", text))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "action":
            yield from literals(node.value)


def _second_argument(call: ast.Call) -> list[str]:
    return literals(call.args[1]) if len(call.args) > 1 else []


def settings() -> Iterator[str]:
    """Every setting with the type and the value of its default."""
    yield from _settings(definition("Settings")(), "")


def _settings(section: BaseModel, path: str) -> Iterator[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _settings(value, f"{path}{name}.")
        elif isinstance(value, Path):
            yield f"{path}{name}: path {value}"
        else:
            yield f"{path}{name}: {type(value).__name__} {value!r}"


def variables() -> Iterator[str]:
    """Environment variables that the code names, their prefix, and the prefixes of keys in Redis."""
    yield from sorted(definition("KEY_VARIABLES"))
    for node in nodes():
        if isinstance(node, ast.Assign) and re.fullmatch(r"_?PREFIX", ast.unparse(node.targets[0])):
            yield from (f"prefix {text}" for text in literals(node.value))
        for text in literals(node) if isinstance(node, ast.Constant) else ():
            if re.fullmatch(r"(FRONTDESK|BENTOML|PROMETHEUS|FORWARDED)_[A-Z0-9_]+", text):
                yield text
