"""Labelled messages, read, checked and masked. Wrong rows are reported by line, all of them at once.

A row has `text` and any of `intent`, `sentiment`, `group`; intent `out_of_scope` marks a message that fits no intent.
Rows of one `group` (paraphrases of one message) never fall on two sides of a split.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from frontdesk.errors import DataError
from frontdesk.security.masking import mask
from frontdesk.taxonomy import OUT_OF_SCOPE, SENTIMENTS

STARTER_CORPUS = Path(__file__).parent / "starter" / "corpus"
LONGEST_TEXT = 4000
REPORTED_ROWS = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message, masked. `intent` is None where the row has none; `out_of_scope` rows have none either."""

    text: str
    intent: str | None
    sentiment: str | None
    group: str
    out_of_scope: bool = False


class Place(NamedTuple):
    """Where a row stands: the file's name and the line, counted from 1, that the row ends on."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def read_examples(path: Path, intent: str = "intent") -> tuple[Example, ...]:
    """Read a .jsonl or .csv file, or every such file of a folder in order of name; `intent` is the label's column.

    Raises:
        DataError: listing each row that is wrong as `file:line: what`, the first twenty in full.
    """
    examples: list[Example] = []
    problems: list[str] = []
    for place, found in read_rows(path, intent):
        if isinstance(found, str):
            problems.append(f"{place}: {found}")
        else:
            examples.append(found)
    if problems:
        shown = "\n  ".join(problems[:REPORTED_ROWS])
        more = f"\n  and {len(problems) - REPORTED_ROWS} more" if len(problems) > REPORTED_ROWS else ""
        raise DataError(f"{len(problems)} rows of {path.name} cannot be used:\n  {shown}{more}")
    if not examples:
        raise DataError(f"{path} holds no rows.", hint="Give a .jsonl or .csv file with a `text` column.")
    return tuple(examples)


def read_rows(path: Path, intent: str = "intent") -> Iterator[tuple[Place, Example | str]]:
    """Each row with its place: as an example, or what is wrong with it.

    Raises:
        DataError: when there is nothing at `path`.
    """
    if not path.exists():
        raise DataError(f"There is no data at {path}.", hint="Give a .jsonl or .csv file, or a folder of them.")
    files = sorted(file for file in path.iterdir() if file.suffix in (".jsonl", ".csv")) if path.is_dir() else [path]
    for file in files:
        for line, row in _rows(file):
            found = row if isinstance(row, str) else _example(row, intent, f"{file.stem}-{line}")
            yield Place(file.name, line), found


def intents_of(examples: Sequence[Example], declared: Sequence[str]) -> tuple[str, ...]:
    """The intents that the rows have: those of the taxonomy in its order, then the others by name."""
    found = {example.intent for example in examples if example.intent is not None}
    return (*(label for label in declared if label in found), *sorted(found - set(declared)))


def data_hash(examples: Sequence[Example]) -> str:
    """A SHA-256 over the rows as they are used, so that the same data has the same name wherever it lies."""
    digest = hashlib.sha256()
    for example in examples:
        row = (example.text, example.intent, example.sentiment, example.group, example.out_of_scope)
        digest.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        yield line, "is not UTF-8"
        return
    if file.suffix == ".csv":
        reader = csv.DictReader(content.splitlines(keepends=True))
        for row in reader:
            yield reader.line_num, row
        return
    for line, text in enumerate(content.split("\n"), start=1):
        if not text.strip():
            continue
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        yield line, parsed if isinstance(parsed, dict) else "is not a JSON object"


def _example(row: Mapping[str, Any], intent_column: str, default_group: str) -> Example | str:
    """The row as an example, or what is wrong with it."""
    text, intent, sentiment = row.get("text"), row.get(intent_column) or None, row.get("sentiment") or None
    if not isinstance(text, str) or not text.strip():
        return "has no text"
    if len(text) > LONGEST_TEXT:
        return f"has {len(text)} characters; at most {LONGEST_TEXT} are understood"
    if intent is not None and not isinstance(intent, str):
        return "has an intent that is not text"
    if sentiment is not None and sentiment not in SENTIMENTS:
        return f"has sentiment '{sentiment}'; use one of {', '.join(SENTIMENTS)}"
    if intent is None and sentiment is None:
        return "has neither intent nor sentiment"
    out_of_scope = intent == OUT_OF_SCOPE
    return Example(
        text=mask(text).text,
        intent=None if out_of_scope else intent,
        sentiment=sentiment,
        group=str(row.get("group") or default_group),
        out_of_scope=out_of_scope,
    )
