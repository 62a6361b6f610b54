"""Check the vocabulary of code and documents: python -m tools.vocabulary

Reads `tools/vocabulary.yaml`. Checks
- words in comments, docstrings, texts with a space (log messages, errors, help), YAML comments and Markdown;
- names of variables, parameters and fields;
- module names: one that exists in two packages must have an entry in `docs/glossary.md`.

Prints one line for each finding, with the plain alternative; the exit code is 1 if there are any. A comment that begins
with `vocabulary:` on the same line is an exception.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import yaml

EXCEPTION = re.compile(r"(?:#|<!--)\s*vocabulary:\s*\S")
GLOSSARY = Path("docs/glossary.md")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})(.*)$")
_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_YAML_QUOTED_OR_COMMENT = re.compile(
    r"""(?:^|(?<=[\s\[{,:]))(?:'(?:[^']|'')*'|"(?:\\.|[^"\\])*")|(?:^|(?<=\s))#(.*)$"""
)
_EXPRESSION = re.compile(r"(?<!\{)\{[^{}]*\}")
_STRINGS = frozenset({tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)})
_COMMON_MODULES = frozenset({"__init__", "__main__"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`words` and `variables` map refused words and names to plain alternatives."""

    words: Mapping[str, str]
    variables: Mapping[str, str]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]

    @classmethod
    def load(cls, file: Path) -> Vocabulary:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return cls(content["words"], content["variables"], tuple(content["checked"]), tuple(content["not_checked"]))

    def covers(self, path: str) -> bool:
        """Whether a file is checked."""
        inside = any(path == each or path.startswith(f"{each}/") for each in self.checked)
        return inside and not any(fnmatch(path, pattern) for pattern in self.not_checked)


def check_file(path: str, content: str, vocabulary: Vocabulary) -> Iterator[str]:
    """Findings in one file, such as `frontdesk/x.py:3: "anew"; write: again, new`."""
    if path.endswith(".py"):
        texts, names = _python_texts(content), list(_python_names(content))
    elif path.endswith(".md"):
        texts, names = _markdown_texts(content), []
    elif path.endswith((".yaml", ".yml")):
        texts, names = _yaml_comments(content), []
    else:
        return
    exceptions = {number for number, line in enumerate(content.splitlines(), 1) if EXCEPTION.search(line)}
    words = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, vocabulary.words))})(?![\w-])", re.IGNORECASE)
    for number, text in texts:
        if number not in exceptions:
            for match in words.finditer(text):
                yield f'{path}:{number}: "{match[0]}"; write: {vocabulary.words[match[0].lower()]}'
    for number, name in names:
        if number not in exceptions and name.lstrip("_") in vocabulary.variables:
            yield f"{path}:{number}: name {name}; write: {vocabulary.variables[name.lstrip('_')]}"


def check_module_names(paths: Iterable[str], glossary: str) -> Iterator[str]:
    """Findings for module names that exist in several packages and are not in the glossary."""
    packages: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if path.endswith(".py") and Path(path).stem not in _COMMON_MODULES:
            packages[Path(path).stem].append(path)
    for name, places in sorted(packages.items()):
        if len(places) > 1 and f"`{name}`" not in glossary:
            yield f"module {name} exists as {', '.join(places)}; rename one, or explain both in {GLOSSARY}"


def _python_texts(content: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, text): comments, and lines of string literals with a space, without f-string expressions."""
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT or (token.type in _STRINGS and " " in token.string):
            text = token.string
            if token.type == tokenize.STRING and "f" in text[: text.index(text[-1])].lower():
                text = _without_expressions(text)
            for offset, line in enumerate(text.splitlines()):
                yield token.start[0] + offset, _INLINE_CODE.sub("", line)


def _without_expressions(text: str) -> str:
    """An f-string without its expressions, the innermost first. Line breaks stay."""
    while (shorter := _EXPRESSION.sub(lambda match: "\n" * match[0].count("\n"), text)) != text:
        text = shorter
    return text


def _python_names(content: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name is not None:
            yield node.lineno, node.name
        elif isinstance(node, ast.MatchMapping) and node.rest is not None:
            yield node.lineno, node.rest
        elif isinstance(node, ast.alias) and node.asname is not None:
            yield node.lineno, node.asname


def _markdown_texts(content: str) -> Iterator[tuple[int, str]]:
    """Lines outside of code blocks, without inline code. A fence closes with its own character, at least as long."""
    fence = ""
    for number, line in enumerate(content.splitlines(), 1):
        match = _FENCE.match(line)
        if not fence and match is not None:
            fence = match[1]
        elif fence and match is not None and match[1].startswith(fence) and not match[2].strip():
            fence = ""
        elif not fence:
            yield number, _INLINE_CODE.sub("", line)


def _yaml_comments(content: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(content.splitlines(), 1):
        for match in _YAML_QUOTED_OR_COMMENT.finditer(line):
            if match[1] is not None:
                yield number, match[1]


def _list_files(roots: Iterable[str]) -> Iterator[str]:
    for root in map(Path, roots):
        yield from (str(path) for path in sorted(root.rglob("*")) if path.is_file())
        if root.is_file():
            yield str(root)


def main() -> int:
    vocabulary = Vocabulary.load(Path(__file__).with_suffix(".yaml"))
    paths = [path for path in _list_files(vocabulary.checked) if vocabulary.covers(path)]
    findings = [
        finding
        for path in paths
        if path.endswith((".py", ".md", ".yaml", ".yml"))
        for finding in check_file(path, Path(path).read_text(encoding="utf-8"), vocabulary)
    ]
    findings += check_module_names(paths, GLOSSARY.read_text(encoding="utf-8") if GLOSSARY.is_file() else "")
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; the list is tools/vocabulary.yaml")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
