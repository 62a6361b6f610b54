"""The clarifying question in the customer's language, from `policy/questions.yaml`.

It is used only if every wish in it is written in that language: a question in two languages helps no customer. Read
once at start. Independent of decisions and of the English question (`frontdesk/decision/clarification.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontdesk.errors import ConfigurationError
from frontdesk.yaml_files import read_yaml

STARTER_QUESTIONS = Path(__file__).parents[2] / "policy" / "questions.yaml"

_FIELDS = {"asked", "or", "wishes"}
_WISHES_FIELD = "{wishes}"


@dataclass(frozen=True, slots=True)
class ClarifyingTexts:
    """Texts of one language: the question around `{wishes}`, the last conjunction, and the wish of each intent."""

    template: str
    conjunction: str
    by_intent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClarifyingQuestions:
    """The content of the file, by language."""

    languages: Mapping[str, ClarifyingTexts]

    def ask(self, intents: Sequence[str], language: str) -> str | None:
        """One question with the wish of each of `intents`, at least two; None if one of them is not written."""
        wishes = self.languages.get(language)
        if wishes is None or any(intent not in wishes.by_intent for intent in intents):
            return None
        *others, last = [wishes.by_intent[intent] for intent in intents]
        return wishes.template.replace(_WISHES_FIELD, f"{', '.join(others)} {wishes.conjunction} {last}")

    @classmethod
    def read(cls, path: Path) -> ClarifyingQuestions:
        """Read the file.

        Raises:
            ConfigurationError: names the language and the invalid field.
        """
        data = read_yaml(path, "file of questions")
        if not isinstance(data, dict):
            raise ConfigurationError(f"{path} must be a mapping of languages.")
        return cls({language: _parse_clarifying_texts(path, language, body) for language, body in data.items()})


def _parse_clarifying_texts(path: Path, language: Any, body: Any) -> ClarifyingTexts:
    if not isinstance(body, dict) or set(body) != _FIELDS:
        raise ConfigurationError(f"{path}: {language!r} must have exactly {', '.join(sorted(_FIELDS))}.")
    if _WISHES_FIELD not in str(body["asked"]):
        raise ConfigurationError(f"{path}: `asked` of {language!r} has no {_WISHES_FIELD}.")
    wishes = body["wishes"]
    if not isinstance(wishes, dict) or not all(isinstance(wish, str) for wish in wishes.values()):
        raise ConfigurationError(f"{path}: `wishes` of {language!r} must be a mapping of intents to texts.")
    return ClarifyingTexts(str(body["asked"]), str(body["or"]), wishes)
