"""Compare the syntax trees of two commits, to show that a commit changes names only.

    python -m tools.compare_ast OLD NEW MAP

Files are paired by the modules of MAP (see `tools/renames.py`). Docstrings, comments and layout are ignored. An
identifier may change if MAP says so, or if it is local to a function or private to a file (`_name`) and every
occurrence changes in the same way. Imports are compared without regard to their order. Prints each difference, and a
summary; the exit code is 1 if there are differences.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.renames import Renames, load

IDENTIFIERS = frozenset({"id", "attr", "arg", "name", "rest", "names", "kwd_attrs"})
"""Fields of syntax tree nodes that hold identifiers."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMED = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.FunctionDef, ast.AsyncFunctionDef)
_DOTTED = re.compile(r"[A-Za-z_][\w.]*")


class Comparison:
    """Compares one pair of files. `differences` are lines such as `path:12: Name.id is 'a', not 'b'`."""

    def __init__(self, path: str, renames: Renames) -> None:
        self.differences: list[str] = []
        self._path = path
        self._renames = renames
        self._private: dict[str, str] = {}
        self._keywords: dict[str, str] = {}
        self._scopes: list[tuple[frozenset[str], dict[str, str]]] = []

    def compare(self, old: ast.AST, new: ast.AST) -> None:
        if type(old) is not type(new):
            self._report(new, f"{_kind(new)} in place of {_kind(old)}")
        elif isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
            if old.value != new.value and not self._is_renamed_text(old.value, new.value):
                self._report(new, f"constant {new.value!r:.60} in place of {old.value!r:.60}")
        elif isinstance(old, _SCOPES):
            self._compare_scope(old, new)
        else:
            self._compare_fields(old, new, old._fields)

    def _compare_scope(self, old: ast.AST, new: ast.AST) -> None:
        self._compare_fields(old, new, [field for field in old._fields if field == "name"])
        self._scopes.append((frozenset(_locals(old)), {}))
        self._compare_fields(old, new, [field for field in old._fields if field != "name"])
        self._scopes.pop()

    def _compare_fields(self, old: ast.AST, new: ast.AST, fields: Sequence[str]) -> None:
        for field in fields:
            self._compare_values(field, getattr(old, field, None), getattr(new, field, None), new)

    def _compare_values(self, field: str, old: object, new: object, node: ast.AST) -> None:
        if isinstance(old, list) and isinstance(new, list):
            if field == "body" and (isinstance(node, ast.Module | ast.ClassDef) or _is_function(node)):
                old, new = _without_docstring(old), _without_docstring(new)
            if old and new and isinstance(old[0], ast.stmt):
                old, new = self._compare_imports(old, new, node)
            if len(old) != len(new):
                self._report(node, f"{len(new)} in place of {len(old)} entries in {_kind(node)}.{field}")
            for one, other in zip(old, new, strict=False):
                self._compare_values(field, one, other, node)
        elif isinstance(old, ast.AST) and isinstance(new, ast.AST):
            self.compare(old, new)
        elif isinstance(old, str) and isinstance(new, str) and field in IDENTIFIERS:
            if not self._is_renamed(old, new, node):
                self._report(node, f"{_kind(node)}.{field} {new!r} in place of {old!r}")
        elif old != new:
            self._report(node, f"{_kind(node)}.{field} {new!r} in place of {old!r}")

    def _is_renamed(self, old: str, new: str, node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute | ast.keyword | ast.MatchClass):
            for names, mapping in reversed(self._scopes):
                if old in names:
                    return _consistent(mapping, old, new)
        if old == new or new in self._renames.options(old):
            return True
        if isinstance(node, ast.keyword):
            return _consistent(self._keywords, old, new)
        return old.startswith("_") and not old.startswith("__") and _consistent(self._private, old, new)

    def _is_renamed_text(self, old: object, new: object) -> bool:
        """Whether a text, such as a target of `monkeypatch`, differs in renamed modules and identifiers only."""
        if not isinstance(old, str) or not isinstance(new, str):
            return False
        old_words, new_words = _DOTTED.findall(old), _DOTTED.findall(new)
        if _DOTTED.sub("", old) != _DOTTED.sub("", new) or len(old_words) != len(new_words):
            return False
        return all(self._is_renamed_word(one, other) for one, other in zip(old_words, new_words, strict=True))

    def _is_renamed_word(self, old: str, new: str) -> bool:
        module = self._renames.module(old)
        if new in {old, module}:
            return True
        one, other = module.split("."), new.split(".")
        return len(one) == len(other) and all(
            a == b or b in self._renames.options(a) for a, b in zip(one, other, strict=True)
        )

    def _compare_imports(
        self, old: Sequence[ast.stmt], new: Sequence[ast.stmt], node: ast.AST
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Compare the imports of two bodies, and return the other statements."""
        present = [item for statement in new for item in _imports(statement)]
        for item in (item for statement in old for item in _imports(statement)):
            match = next((other for other in present if self._is_renamed_import(item, other)), None)
            if match is None:
                self._report(node, f"import of {'.'.join(filter(None, item))} is missing")
            else:
                present.remove(match)
        for item in present:
            self._report(node, f"import of {'.'.join(filter(None, item))} is new")
        return [each for each in old if not _is_import(each)], [each for each in new if not _is_import(each)]

    def _is_renamed_import(self, old: tuple[str, str, str], new: tuple[str, str, str]) -> bool:
        whole = self._renames.module(f"{old[0]}.{old[1]}" if old[1] else old[0])
        same_module = whole == (f"{new[0]}.{new[1]}" if new[1] else new[0])
        same_name = self._renames.module(old[0]) == new[0] and (
            old[1] == new[1] or new[1] in self._renames.options(old[1])
        )
        return (same_module or same_name) and (old[2] == new[2] or new[2] in self._renames.options(old[2]))

    def _report(self, node: ast.AST, what: str) -> None:
        self.differences.append(f"{self._path}:{getattr(node, 'lineno', 1)}: {what}")


def compare_commits(old: str, new: str, renames: Renames, folder: Path) -> Iterator[str]:
    """The differences between the Python files of two commits of the repository in `folder`."""
    old_files, new_files = _python_files(old, folder), _python_files(new, folder)
    paths = {renames.path(path): path for path in old_files}
    for path in sorted(paths.keys() - new_files.keys()):
        yield f"{path}: missing; it was {paths[path]}"
    for path in sorted(new_files.keys() - paths.keys()):
        yield f"{path}: new"
    for path in sorted(paths.keys() & new_files.keys()):
        if old_files[paths[path]] == new_files[path]:
            continue
        comparison = Comparison(path, renames)
        comparison.compare(
            ast.parse(_content(old_files[paths[path]], folder)), ast.parse(_content(new_files[path], folder))
        )
        yield from comparison.differences


def _python_files(commit: str, folder: Path) -> dict[str, str]:
    """Paths of the Python files of a commit, with the ids of their contents."""
    listed = _git(folder, "ls-tree", "-r", commit)
    entries = (line.split("\t", 1) for line in listed.splitlines())
    return {path: entry.split()[2] for entry, path in entries if path.endswith(".py")}


def _content(blob: str, folder: Path) -> str:
    return _git(folder, "cat-file", "blob", blob)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True, encoding="utf-8").stdout


def _locals(function: ast.AST) -> Iterator[str]:
    """Names of the parameters and variables of a function, those of nested functions included."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, _NAMED) and node is not function and node.name:
            yield node.name


def _imports(statement: ast.stmt) -> Iterator[tuple[str, str, str]]:
    """(module, name, name here) of each imported object."""
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        yield from ((module, alias.name, alias.asname or "") for alias in statement.names)
    elif isinstance(statement, ast.Import):
        yield from ((alias.name, "", alias.asname or "") for alias in statement.names)


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements without docstrings, including those below assignments."""
    return [
        each
        for each in body
        if not (
            isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
        )
    ]


def _consistent(mapping: dict[str, str], old: str, new: str) -> bool:
    """Whether `old` is always renamed to `new`, and no other name is."""
    if old not in mapping:
        if new in mapping.values():
            return False
        mapping[old] = new
    return mapping[old] == new


def _kind(node: ast.AST) -> str:
    return type(node).__name__


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare_ast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", help="the commit before")
    parser.add_argument("new", help="the commit after")
    parser.add_argument("map", type=Path, help="Markdown file with the tables of renames")
    arguments = parser.parse_args()
    differences = list(compare_commits(arguments.old, arguments.new, load(arguments.map), Path.cwd()))
    for difference in differences:
        print(difference)
    print(f"{arguments.old} and {arguments.new}: {len(differences)} differences beyond names")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
