"""No file imports itself over others, and no sub-package does: imports inside functions count too."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.serving import PROJECT

PACKAGES = ("frontdesk", "model_store", "runners", "training", "bentos", "cli")

Graph = dict[str, set[str]]


def module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.Module, modules: Iterable[str]) -> set[str]:
    """The project's modules that a module imports, the most exact name of each."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                names.add(submodule if submodule in modules else node.module)
    return names & set(modules)


def import_graph() -> Graph:
    files = {module_name(path): path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")}
    return {name: imported(ast.parse(path.read_bytes()), files) - {name} for name, path in files.items()}


def sub_package(module: str) -> str:
    """The sub-package of a module. Modules directly in a top-level package stand for themselves."""
    parts = module.split(".")
    return ".".join(parts[:2])


def condensed(graph: Graph, group_of: Callable[[str], str]) -> Graph:
    groups: Graph = defaultdict(set)
    for module, targets in graph.items():
        groups[group_of(module)] |= {group_of(target) for target in targets} - {group_of(module)}
    return groups


def cycle_of(graph: Graph) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def folder(module: str) -> str:
    """The folder of a module; modules directly in a top-level package stand for themselves."""
    path = PROJECT.joinpath(*module.split("."))
    parts = module.split(".")
    return module if path.is_dir() or len(parts) <= 2 else ".".join(parts[:-1])


def test_no_file_is_in_an_import_cycle() -> None:
    assert cycle_of(import_graph()) == []


def test_no_sub_package_is_in_an_import_cycle() -> None:
    assert cycle_of(condensed(import_graph(), sub_package)) == []


def test_no_folder_is_in_an_import_cycle() -> None:
    assert cycle_of(condensed(import_graph(), folder)) == []


def test_a_cycle_is_found() -> None:
    graph = {"a.x": {"b.y"}, "b.y": {"b.z"}, "b.z": set(), "a.w": set(), "b.v": {"a.w"}}
    assert cycle_of(graph) == []
    assert set(cycle_of(condensed(graph, lambda module: module[0]))) == {"a", "b"}
