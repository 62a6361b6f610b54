"""policy/replies.yaml: what a reply must not say, in which words it may be kind, and how long it may be.

Read once at start; patterns are compiled then. Knows nothing of checks or models.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from frontdesk.errors import ConfigurationError
from frontdesk.responses.words import STOP_WORDS, content, words

STARTER_REPLIES = Path(__file__).parent.parent / "policy" / "replies.yaml"

_FIELDS = {"version", "words", "spoken_placeholders", "courtesy", "forbidden", "unwanted", "inside"}


@dataclass(frozen=True, slots=True)
class Rule:
    """`told` continues "It must not ..."; `patterns` are searched for in lower case."""

    name: str
    told: str
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class ReplyPolicy:
    """The whole file. `forbidden` promises, `unwanted` tones, talk about the `inside`; `digest` names its content."""

    version: str
    fewest_words: int
    most_words: int
    spoken_placeholders: frozenset[str]
    courtesy: Mapping[str, str]
    forbidden: tuple[Rule, ...]
    unwanted: tuple[Rule, ...]
    inside: tuple[Rule, ...]
    digest: str
    known_words: frozenset[str] = field(repr=False)

    def courtesy_stems(self, language: str) -> frozenset[str]:
        """Stems that a reply in `language` may hold although no passage does."""
        return frozenset(content(self.courtesy.get(language, ""), language))

    @classmethod
    def read(cls, path: Path) -> ReplyPolicy:
        """Read the file.

        Raises:
            ConfigurationError: naming the field or the pattern that is wrong.
        """
        try:
            raw = path.read_bytes()
            data = yaml.safe_load(raw)
        except FileNotFoundError:
            raise ConfigurationError(f"There is no reply policy at {path}.") from None
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
        if not isinstance(data, dict) or set(data) != _FIELDS:
            raise ConfigurationError(f"{path} must hold exactly {', '.join(sorted(_FIELDS))}.")
        courtesy = {str(language): str(text) for language, text in data["courtesy"].items()}
        kind_words = {word for text in courtesy.values() for word in words(text)}
        return cls(
            version=str(data["version"]),
            fewest_words=int(data["words"]["fewest"]),
            most_words=int(data["words"]["most"]),
            spoken_placeholders=frozenset(data["spoken_placeholders"]),
            courtesy=courtesy,
            forbidden=_rules(path, "forbidden", data["forbidden"]),
            unwanted=_rules(path, "unwanted", data["unwanted"]),
            inside=_rules(path, "inside", data["inside"]),
            digest=hashlib.sha256(raw).hexdigest()[:16],
            known_words=frozenset(kind_words.union(*STOP_WORDS.values())),
        )


def _rules(path: Path, section: str, data: Any) -> tuple[Rule, ...]:
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: {section} must be a mapping of rules.")
    return tuple(_rule(path, name, body) for name, body in data.items())


def _rule(path: Path, name: str, body: Any) -> Rule:
    if not isinstance(body, dict) or set(body) != {"must_not", "patterns"} or not isinstance(body["patterns"], list):
        raise ConfigurationError(f"{path}: {name} must have `must_not` and a list of `patterns`.")
    try:
        patterns = tuple(re.compile(pattern) for pattern in body["patterns"])
    except re.error as error:
        raise ConfigurationError(f"{path}: a pattern of {name} is not a regular expression: {error}.") from None
    return Rule(name, str(body["must_not"]), patterns)
