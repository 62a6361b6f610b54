"""Rename modules and identifiers: python3.12 -m tools.rename MAP [FOLDER ...]

Applies the tables of MAP (see `tools/renames.py`) to the working tree: moves the files of modules with git, and
replaces their dotted names and paths in all text files, and identifiers in Python code. In comments and docstrings an
identifier is replaced only in backticks. FOLDERs limit the replacement of identifiers.

Run it with Python 3.12 or newer, whose tokenizer sees the identifiers in f-strings; then sort imports and format.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.renames import Renames, load

TEXT_FILES = frozenset({".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".sh", ""})
_QUOTED = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[A-Za-z_]\w*")


def rename(renames: Renames, folders: Sequence[str]) -> int:
    """Rename in the repository of the current folder and return the number of changed files."""
    old_paths = {renames.path(path): path for path in _tracked()}
    for new, old in old_paths.items():
        if new != old:
            Path(new).parent.mkdir(parents=True, exist_ok=True)
            _git("mv", old, new)
    changed = 0
    for path, old_path in old_paths.items():
        file = Path(path)
        if file.suffix not in TEXT_FILES or not file.is_file() or file.is_symlink():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        new_text = replace_modules(text, renames)
        if file.suffix == ".py" and (not folders or path.startswith(tuple(folders))):
            new_text = replace_identifiers(new_text, renames.in_file(old_path))
        if new_text != text:
            file.write_text(new_text, encoding="utf-8")
            changed += 1
    return changed


def _docstring_lines(source: str) -> frozenset[int]:
    """First lines of docstrings: string literals that are statements."""
    return frozenset(
        node.value.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def replace_modules(text: str, renames: Renames) -> str:
    """Replace dotted names, paths, and names in `from package import module`."""
    for old, new in sorted(renames.modules.items(), key=lambda item: -len(item[0])):
        text = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)
        text = re.sub(rf"(?<![\w/]){re.escape(old.replace('.', '/'))}(?=\.py\b|/)", new.replace(".", "/"), text)
        old_package, _, old_name = old.rpartition(".")
        new_package, _, new_name = new.rpartition(".")
        if old_package and old_package == new_package:
            text = re.sub(
                rf"(from {re.escape(old_package)} import (?:\w+, )*){re.escape(old_name)}\b", rf"\g<1>{new_name}", text
            )
    return text


def replace_identifiers(source: str, names: Mapping[str, str]) -> str:
    """Replace identifiers in Python code, and those in backticks in its comments and docstrings."""
    if not names:
        return source
    lines = source.splitlines(keepends=True)
    edits: list[tuple[tuple[int, int], tuple[int, int], str]] = []
    docstrings = _docstring_lines(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string in names:
            edits.append((token.start, token.end, names[token.string]))
        elif token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start[0] in docstrings):
            text = _QUOTED.sub(lambda match: f"`{_replace_words(match[1], names)}`", token.string)
            if text != token.string:
                edits.append((token.start, token.end, text))
    for (first, start), (last, end), text in reversed(edits):
        head, tail = lines[first - 1][:start], lines[last - 1][end:]
        lines[first - 1 : last] = [head + text + tail]
    return "".join(lines)


def _replace_words(text: str, names: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: names.get(match[0], match[0]), text)


def _tracked() -> list[str]:
    return _git("ls-files").splitlines()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, check=True, encoding="utf-8").stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3.12 -m tools.rename", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("map", type=Path, help="Markdown file with the tables of renames")
    parser.add_argument("folders", nargs="*", help="replace identifiers in these folders only")
    arguments = parser.parse_args()
    if sys.version_info < (3, 12):
        sys.exit("Run it with Python 3.12 or newer: older ones do not see the identifiers in f-strings.")
    print(f"{rename(load(arguments.map), arguments.folders)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
