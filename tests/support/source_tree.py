"""Index of the product's source code: modules, definitions and string literals, without fixed module paths.

A test that finds a class by its name keeps working when the class moves to another module.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


@cache
def project_file() -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def packages() -> tuple[Path, ...]:
    """The folders of the packages that are installed."""
    names = project_file()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return tuple(PROJECT / name for name in names)


@cache
def sources() -> Mapping[str, str]:
    """The source text of every module, by its dotted name, without generated code and migrations."""
    module_sources = {}
    for package in packages():
        for file in sorted(package.rglob("*.py")):
            if "_pb2" not in file.name and "migrations" not in file.parts:
                parts = file.relative_to(PROJECT).with_suffix("").parts
                module_sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file.read_text(
                    encoding="utf-8"
                )
    return module_sources


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module])


@cache
def definition(name: str, package: str = "") -> Any:
    """The class, function or constant of that name, imported from the only module of `package` that defines it.

    Raises:
        LookupError: no module, or more than one, defines the name at its top level.
    """
    candidates = [module for module, text in sources().items() if name in text and module.startswith(package)]
    modules = [module for module in candidates if name in _defined(tree(module))]
    if len(modules) != 1:
        raise LookupError(f"{name} is defined in {', '.join(modules) or 'no module'}; one was expected.")
    return getattr(importlib.import_module(modules[0]), name)


def modules_with(*texts: str) -> list[Any]:
    """Every module whose source contains all these texts, imported."""
    modules = [module for module, source in sources().items() if all(text in source for text in texts)]
    return [importlib.import_module(module) for module in modules]


@cache
def nodes() -> Sequence[ast.Assign | ast.BinOp | ast.Call | ast.Constant]:
    """All assignments, binary operations, calls and constants."""
    kinds = (ast.Assign, ast.BinOp, ast.Call, ast.Constant)
    return [node for module in sources() for node in ast.walk(tree(module)) if isinstance(node, kinds)]


def literals(node: ast.AST) -> list[str]:
    """The texts that an expression may have: one for a literal, two for a conditional; none if it is computed.

    Computed parts of an f-string are written as {}.
    """
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(_part(value) for value in node.values)]
    if isinstance(node, ast.IfExp):
        return [*literals(node.body), *literals(node.orelse)]
    return []


def called_name(call: ast.Call) -> str:
    """The last part of the name of the called function; empty for any other expression."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _part(value: ast.AST) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"


@cache
def _defined(module: ast.Module) -> set[str]:
    return {name for statement in module.body for name in _names(statement)}


def _names(statement: ast.stmt) -> Iterable[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        nested = (node for target in statement.targets for node in ast.walk(target))
        return [node.id for node in nested if isinstance(node, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []
