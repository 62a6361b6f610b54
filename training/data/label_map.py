"""New names for labels, from a file: YAML, JSON, or a table of two columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from frontdesk.errors import DataError
from training.data.missing_values import is_missing
from training.data.tables import open_tables

LabelMap = Mapping[str, str]
"""Label to intent; '' for labels whose rows are not used. Labels that are not in the map keep their names."""

_MAPPING_SUFFIXES = (".yaml", ".yml", ".json")
_HINT = "Write one label per line as `label: intent`, or a table with the columns label and intent."


def read_label_map(path: Path | None) -> LabelMap:
    """Read the map; empty without a path. A label without an intent is left out of training.

    Raises:
        DataError: the file cannot be read, names a label twice or has a value that is not text.
    """
    if path is None:
        return {}
    if path.suffix.lower() not in _MAPPING_SUFFIXES:
        return _to_map(path, _read_table(path))
    try:
        content = _Loader(path.read_bytes()).get_single_data()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise DataError(f"{path.name} cannot be read as YAML or JSON.", hint=_HINT) from None
    if not isinstance(content, list) or not all(isinstance(pair, tuple) for pair in content):
        raise DataError(f"{path.name} is not a map of labels.", hint=_HINT)
    return _to_map(path, content)


class _Loader(yaml.SafeLoader):
    """Reads scalars as text and mappings as pairs: `no` stays a label, and repeated labels are detected."""


def _construct_pairs(loader: yaml.SafeLoader, node: yaml.MappingNode) -> list[tuple[Any, Any]]:
    return [(loader.construct_object(key), loader.construct_object(value)) for key, value in node.value]


def _construct_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    return "" if node.style is None and text in ("null", "~") else text


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_pairs)
for _tag in ("null", "bool", "int", "float", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct_text)


def _read_table(path: Path) -> list[tuple[Any, Any]]:
    tables, _ = open_tables(path, ("label", "intent"))
    pairs = []
    for table in tables:
        for row in table.rows():
            if row.problem:
                raise DataError(f"{table.name}:{row.line}: {row.problem}", hint=_HINT)
            pairs.append((row.cell("label"), row.cell("intent")))
    return pairs


def _to_map(path: Path, pairs: list[tuple[Any, Any]]) -> LabelMap:
    label_map: dict[str, str] = {}
    for label, intent in pairs:
        if not isinstance(label, str) or not label or not isinstance(intent, str | None):
            raise DataError(f"{path.name} has an entry that is not a label and an intent.", hint=_HINT)
        if label in label_map:
            raise DataError(f"{path.name} names the label '{label}' twice.", hint="Keep one of the entries.")
        label_map[label] = "" if intent is None or is_missing(intent) else intent
    if not label_map:
        raise DataError(f"{path.name} names no label.", hint=_HINT)
    return label_map
