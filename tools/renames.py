"""The tables of `docs/renames.md`: old and new names of modules and of identifiers.

A table row is `| old | new |` or `| old | new | where |`, with names in backticks. Names with a dot or a slash are
modules. `where` limits a name to files: comma-separated glob patterns of paths before the renaming.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_ROW = re.compile(r"^\|\s*`([^`]+)`\s*\|\s*`([^`]+)`\s*\|(?:\s*(.*?)\s*\|)?\s*$")


@dataclass(frozen=True, slots=True)
class NameRename:
    """An identifier's old and new name, and glob patterns of the files in which it applies; none means all files."""

    old: str
    new: str
    where: tuple[str, ...] = ()

    def applies_to(self, path: str) -> bool:
        return not self.where or any(fnmatch(path, pattern) for pattern in self.where)


@dataclass(frozen=True, slots=True)
class Renames:
    """`modules` maps dotted names; longer names take precedence, and the modules in a renamed package move with it."""

    modules: Mapping[str, str]
    names: tuple[NameRename, ...]

    def module(self, dotted: str) -> str:
        """Return the new name of a module."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            if (new := self.modules.get(".".join(parts[:length]))) is not None:
                return ".".join([new, *parts[length:]])
        return dotted

    def path(self, path: str) -> str:
        """Return the new path of a Python file."""
        if not path.endswith(".py"):
            return path
        dotted = path.removesuffix(".py").replace("/", ".")
        package = dotted.removesuffix(".__init__")
        new = self.module(package)
        return f"{new.replace('.', '/')}{'/__init__' if package != dotted else ''}.py"

    def options(self, old: str) -> frozenset[str]:
        """Return all new names of an identifier, in any file."""
        return frozenset(rename.new for rename in self.names if rename.old == old)

    def in_file(self, path: str) -> dict[str, str]:
        """Return the new names of identifiers in a file. A row with file patterns takes precedence over a general row.

        Raises:
            ValueError: an identifier has two new names in this file.
        """
        names: dict[str, NameRename] = {}
        for rename in self.names:
            if not rename.applies_to(path):
                continue
            present = names.get(rename.old)
            if present is None or (rename.where and not present.where):
                names[rename.old] = rename
            elif bool(rename.where) == bool(present.where) and rename.new != present.new:
                raise ValueError(f"{path}: {rename.old} becomes both {present.new} and {rename.new}")
        return {old: rename.new for old, rename in names.items()}


def load(file: Path) -> Renames:
    """Read the tables of a Markdown file."""
    return parse(file.read_text(encoding="utf-8"))


def parse(text: str) -> Renames:
    modules: dict[str, str] = {}
    names: list[NameRename] = []
    for line in text.splitlines():
        if (match := _ROW.match(line)) is None:
            continue
        old, new, where = match.groups()
        if "." in old or "/" in old:
            modules[_dotted(old)] = _dotted(new)
        else:
            names.append(NameRename(old, new, tuple(re.findall(r"[^\s,`]+", where or ""))))
    return Renames(modules, tuple(names))


def _dotted(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")
