"""policy/replies.yaml: forbidden and unwanted phrases, courtesy words, synonyms, and the length of replies.

Read once at start, when the patterns are compiled. Independent of checks and models.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from frontdesk.errors import ConfigurationError
from frontdesk.responses.text.normalization import STOP_WORDS, content_stems, normalize_text, split_words
from frontdesk.yaml_files import read_yaml

STARTER_REPLIES = Path(__file__).parent.parent / "policy" / "replies.yaml"

_FIELDS = {"version", "words", "spoken_placeholders", "courtesy", "alike", "forbidden", "unwanted", "inside"}


@dataclass(frozen=True, slots=True)
class PhraseRule:
    """`must_not` completes "It must not ..."; `patterns` are searched for in lower-case text."""

    name: str
    must_not: str
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Words and phrases of one language with the same meaning; `canonical` maps each to the first of its group."""

    canonical: Mapping[str, str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, groups: list[list[str]]) -> Synonyms:
        canonical = {normalize_text(phrase): normalize_text(group[0]) for group in groups for phrase in group[1:]}
        phrases = sorted(canonical, key=len, reverse=True)
        return cls(canonical, re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE))

    def canonicalize(self, text: str) -> str:
        return self.pattern.sub(lambda match: self.canonical[match[0].lower()], text)


@dataclass(frozen=True, slots=True)
class ReplyPolicy:
    """The content of the file.

    `forbidden` are commitments, `unwanted` are phrases in the wrong tone, `self_disclosure` are statements about the
    instructions. `digest` identifies the content.
    """

    version: str
    min_words: int
    max_words: int
    allowed_placeholders: frozenset[str]
    courtesy: Mapping[str, str]
    synonyms: Mapping[str, Synonyms]
    forbidden: tuple[PhraseRule, ...]
    unwanted: tuple[PhraseRule, ...]
    self_disclosure: tuple[PhraseRule, ...]
    digest: str
    known_words: frozenset[str] = field(repr=False)

    def courtesy_stems(self, language: str) -> frozenset[str]:
        """Stems that a reply in `language` may contain although no passage does."""
        return frozenset(content_stems(self.courtesy.get(language, ""), language))

    def replace_synonyms(self, text: str, language: str) -> str:
        """Return `text` with every synonym replaced by the first of its group."""
        synonyms = self.synonyms.get(language)
        return text if synonyms is None else synonyms.canonicalize(text)

    @classmethod
    def read(cls, path: Path) -> ReplyPolicy:
        """Read the file.

        Raises:
            ConfigurationError: names the invalid field or pattern.
        """
        data = read_yaml(path, "reply policy")
        if not isinstance(data, dict) or set(data) != _FIELDS:
            raise ConfigurationError(f"{path} must hold exactly {', '.join(sorted(_FIELDS))}.")
        courtesy = {str(language): str(text) for language, text in data["courtesy"].items()}
        courtesy_words = {word for text in courtesy.values() for word in split_words(text)}
        return cls(
            version=str(data["version"]),
            min_words=int(data["words"]["fewest"]),
            max_words=int(data["words"]["most"]),
            allowed_placeholders=frozenset(data["spoken_placeholders"]),
            courtesy=courtesy,
            synonyms=_parse_synonyms(path, data["alike"]),
            forbidden=_parse_rules(path, "forbidden", data["forbidden"]),
            unwanted=_parse_rules(path, "unwanted", data["unwanted"]),
            self_disclosure=_parse_rules(path, "inside", data["inside"]),
            digest=hashlib.sha256(path.read_bytes()).hexdigest()[:16],
            known_words=frozenset(courtesy_words.union(*STOP_WORDS.values())),
        )


def _parse_synonyms(path: Path, data: Any) -> dict[str, Synonyms]:
    if not isinstance(data, dict) or not all(_is_list_of_synonym_groups(groups) for groups in data.values()):
        raise ConfigurationError(f"{path}: alike must list, by language, groups of at least two words or phrases.")
    return {str(language): Synonyms.of(groups) for language, groups in data.items()}


def _is_list_of_synonym_groups(groups: Any) -> bool:
    return (
        isinstance(groups, list)
        and len(groups) > 0
        and all(
            isinstance(group, list) and len(group) > 1 and all(isinstance(phrase, str) for phrase in group)
            for group in groups
        )
    )


def _parse_rules(path: Path, section: str, data: Any) -> tuple[PhraseRule, ...]:
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: {section} must be a mapping of rules.")
    return tuple(_parse_rule(path, name, body) for name, body in data.items())


def _parse_rule(path: Path, name: str, body: Any) -> PhraseRule:
    if not isinstance(body, dict) or set(body) != {"must_not", "patterns"} or not isinstance(body["patterns"], list):
        raise ConfigurationError(f"{path}: {name} must have `must_not` and a list of `patterns`.")
    try:
        patterns = tuple(re.compile(pattern) for pattern in body["patterns"])
    except re.error as error:
        raise ConfigurationError(f"{path}: a pattern of {name} is not a regular expression: {error}.") from None
    return PhraseRule(name, str(body["must_not"]), patterns)
