"""Word lists of masking: YAML files, and patterns with their words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML without libyaml takes seven times as long: 40 ms
    from yaml import SafeLoader  # type: ignore[assignment]


def read_word_lists(name: str, folder: Path = Path(__file__).parent) -> Mapping[str, tuple[str, ...]]:
    """Return the lists of `NAME.yaml`, each in the order of the file.

    A list is a text of words separated by spaces, so that YAML parses no word as a boolean or a number; or a mapping of
    sections to such texts.

    Raises:
        ValueError: the file contains anything else, or an empty list.
    """
    file = folder / f"{name}.yaml"
    lists = yaml.load(file.read_text(encoding="utf-8"), Loader=SafeLoader)
    if not isinstance(lists, dict):
        raise ValueError(f"{file.name} is not a mapping of lists.")
    return {key: _parse_word_list(f"{key} in {file.name}", value) for key, value in lists.items()}


def _parse_word_list(place: str, value: object) -> tuple[str, ...]:
    texts = list(value.values()) if isinstance(value, dict) else [value]
    lists = [text.split() if isinstance(text, str) else [] for text in texts]
    if not lists or not all(lists):
        raise ValueError(f"{place} is not a list of words.")
    return tuple(word for words in lists for word in words)
