"""Passages of the knowledge base: Markdown files with YAML front matter, owned by the support team.

    ---
    id: cancel-order
    title: Cancelling an order
    intents: [cancel_order]
    owner: support-lead
    valid_from: 2026-01-01
    valid_until: 2026-12-31        # optional, the last valid day
    audience: [premium]            # optional, the customer tiers; all if omitted
    language: en                   # optional, the language of the text
    ---

    The passage, as a customer may read it. Reply[[ with your order number]] if it is late.

Text between [[ and ]] is left out if the message contains an order number, so that no reply requests it
again. Read once at start. Independent of replies, the taxonomy and the current date.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from frontdesk.errors import ConfigurationError
from frontdesk.types import CustomerTier

STARTER_KNOWLEDGE = Path(__file__).parents[2] / "knowledge"

_REQUIRED = ("id", "title", "intents", "owner", "valid_from")
_OPTIONAL = ("valid_until", "audience", "language")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_DELIMITER = "---"
_BLANK_LINES = re.compile(r"\n{3,}")
_ONLY_WITHOUT_ORDER = re.compile(r"\[\[([^\[\]]*)\]\]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A text for customers, the intents that it answers, and its first and last valid day.

    `audience` lists the customer tiers, empty for all; `language` is a code such as en. `text_with_order` is the text
    for a message that has an order number: without the parts between [[ and ]]. Empty if there are none.
    """

    id: str
    title: str
    intents: tuple[str, ...]
    owner: str
    valid_from: date
    valid_until: date | None
    text: str
    audience: tuple[CustomerTier, ...] = ()
    language: str = "en"
    text_with_order: str = ""

    def for_message_with_order(self) -> Passage:
        """Return the passage for a message that has an order number."""
        return replace(self, text=self.text_with_order) if self.text_with_order else self

    def is_for(self, tier: CustomerTier) -> bool:
        return not self.audience or tier in self.audience

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All passages, in the order of their file names."""

    passages: tuple[Passage, ...]

    @classmethod
    def read(cls, folder: Path) -> Knowledge:
        """Read every `*.md` directly in the folder. Names that begin with a dot are files of editors and are skipped.

        Raises:
            ConfigurationError: names the folder, or the file and the invalid field.
        """
        if not folder.is_dir():
            raise ConfigurationError(f"There is no knowledge folder at {folder}.")
        paths = sorted(path for path in folder.glob("*.md") if not path.name.startswith("."))
        if not paths:
            raise ConfigurationError(f"{folder} holds no passages.", hint="Put at least one .md file into it.")
        by_id: dict[str, Path] = {}
        passages = []
        for path in paths:
            _check_location(path, folder)
            passage = _parse_passage(path)
            if passage.id in by_id:
                raise _invalid_field(path, "id", f"is '{passage.id}', as in {by_id[passage.id].name}")
            by_id[passage.id] = path
            passages.append(passage)
        return cls(tuple(passages))

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with every passage."""
        return hashlib.sha256(repr(self.passages).encode()).hexdigest()[:16]

    def for_intent(self, label: str, day: date) -> tuple[Passage, ...]:
        """The passages on an intent that are valid on that day."""
        return tuple(passage for passage in self.passages if label in passage.intents and passage.valid_on(day))

    def uncovered_intents(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels without any passage, regardless of validity."""
        covered = {intent for passage in self.passages for intent in passage.intents}
        return tuple(label for label in labels if label not in covered)


def _check_location(path: Path, folder: Path) -> None:
    """Reject files outside the folder, which a link could publish. Links within it are how Kubernetes mounts files."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigurationError(f"{path} is a link out of the knowledge folder.", hint="Copy the file instead.")
    if not path.is_file():
        raise ConfigurationError(f"{path} is not a regular file.")


def _parse_passage(path: Path) -> Passage:
    fields, text = _read_front_matter(path)
    for name in fields:
        if name not in _REQUIRED + _OPTIONAL:
            raise _invalid_field(path, str(name), "is unknown", hint=f"Known: {', '.join(_REQUIRED + _OPTIONAL)}.")
    for name in _REQUIRED:
        if name not in fields:
            raise _invalid_field(path, name, "is missing")
    valid_from = _parse_date(path, "valid_from", fields["valid_from"])
    valid_until = _parse_date(path, "valid_until", fields["valid_until"]) if "valid_until" in fields else None
    if valid_until is not None and valid_until < valid_from:
        raise _invalid_field(path, "valid_until", f"({valid_until}) lies before valid_from ({valid_from})")
    if not text:
        raise ConfigurationError(f"{path}: the passage below the front matter is empty.")
    if any(brackets in _ONLY_WITHOUT_ORDER.sub("", text) for brackets in ("[[", "]]")):
        raise ConfigurationError(f"{path}: [[ and ]] must come in pairs, without other brackets in between.")
    return Passage(
        id=_parse_text(path, "id", fields["id"]),
        title=_parse_text(path, "title", fields["title"]),
        intents=_parse_intents(path, fields["intents"]),
        owner=_parse_text(path, "owner", fields["owner"]),
        valid_from=valid_from,
        valid_until=valid_until,
        text=_ONLY_WITHOUT_ORDER.sub(r"\1", text),
        text_with_order=_without_optional_parts(text),
        audience=_parse_audience(path, fields.get("audience", [])),
        language=_parse_language(path, fields.get("language", "en")),
    )


def _without_optional_parts(text: str) -> str:
    """Return `text` without the parts between [[ and ]], or an empty text if it has none."""
    shorter = _ONLY_WITHOUT_ORDER.sub("", text)
    return "" if shorter == text else _BLANK_LINES.sub("\n\n", shorter).strip()


def _read_front_matter(path: Path) -> tuple[dict[Any, Any], str]:
    try:
        content = path.read_text(encoding="utf-8-sig")  # some editors on Windows begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    lines = [line.rstrip() for line in content.splitlines()]
    if not lines or lines[0] != _DELIMITER or _DELIMITER not in lines[1:]:
        raise ConfigurationError(
            f"{path} has no front matter.", hint=f"Begin it with YAML between two lines of '{_DELIMITER}'."
        )
    end = lines.index(_DELIMITER, 1)
    try:
        fields = yaml.safe_load("\n".join(lines[1:end]))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-30
        raise ConfigurationError(f"{path}: the front matter is not valid YAML: {error}") from None
    if not isinstance(fields, dict):
        raise ConfigurationError(f"{path}: the front matter must be a mapping with {', '.join(_REQUIRED)}.")
    return fields, "\n".join(lines[end + 1 :]).strip()


def _parse_text(path: Path, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _invalid_field(path, name, f"must be a text, not {value!r}")
    return value.strip()


def _parse_intents(path: Path, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _invalid_field(path, "intents", "must be a list of at least one intent")
    return tuple(_parse_text(path, "intents", item) for item in value)


def _parse_audience(path: Path, value: Any) -> tuple[CustomerTier, ...]:
    tiers = [tier.value for tier in CustomerTier]
    if not isinstance(value, list) or any(item not in tiers for item in value):
        raise _invalid_field(path, "audience", f"must be a list of {', '.join(tiers)}, not {value!r}")
    return tuple(CustomerTier(item) for item in value)


def _parse_language(path: Path, value: Any) -> str:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise _invalid_field(
            path, "language", f"must be a code such as en or de, not {value!r}", hint="Put 'no' in quotes."
        )
    return value


def _parse_date(path: Path, name: str, value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _invalid_field(path, name, f"must be a date such as 2026-01-31, not {value!r}")
    return value


def _invalid_field(path: Path, name: str, problem: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(f"{path}: {name} {problem}.", hint=hint)
