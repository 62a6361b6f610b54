"""Masking as the configuration asks for it: with or without a second pass over names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from frontdesk.errors import BundleError
from frontdesk.masking import MASKING_VERSION
from frontdesk.masking.masked_message import MaskedMessage, mask_message, mask_message_steps
from frontdesk.masking.name_tagger import NameTagger
from frontdesk.time_slicing import CooperativeSteps
from frontdesk.types import Message

NameTaggerName = Literal["off", "spacy"]
_SEPARATOR = "+"


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks messages with the patterns, and with `tagger` if there is one."""

    tagger: NameTagger | None = None

    def mask_steps(self, message: Message) -> CooperativeSteps[MaskedMessage]:
        """Run `mask` as a generator that yields after each step."""
        return mask_message_steps(message, self.tagger)

    def mask(self, message: Message) -> MaskedMessage:
        """Mask a message, as `frontdesk.masking.masked_message.mask_message` does."""
        return mask_message(message, self.tagger)


def load_masker(name_tagger: NameTaggerName) -> Masker:
    """Load the tagger that `masking.name_tagger` names.

    Raises:
        ConfigurationError: it is not installed.
    """
    if name_tagger == "off":
        return Masker()
    from frontdesk.masking.spacy_tagger import SpacyNameTagger

    return Masker(SpacyNameTagger())


def masking_version(name_tagger: NameTaggerName) -> str:
    """Return the version of patterns and tagger, which a bundle records: "5" or "5+spacy-3.8.18,...".

    Loads no model.

    Raises:
        ConfigurationError: the tagger is not installed.
    """
    if name_tagger == "off":
        return MASKING_VERSION
    from frontdesk.masking.spacy_tagger import installed_version

    return f"{MASKING_VERSION}{_SEPARATOR}{installed_version()}"


def pattern_version(version: str) -> str:
    """Return the version of the patterns in a version that `masking_version` returned."""
    return version.partition(_SEPARATOR)[0]


def check_masking_version(bundle: str, trained: str, name_tagger: NameTaggerName) -> None:
    """Check that a bundle was trained on texts masked as this process masks them.

    Raises:
        BundleError: it was trained with other patterns or another tagger.
        ConfigurationError: the tagger is not installed.
    """
    if trained != (configured := masking_version(name_tagger)):
        raise BundleError(
            f"Bundle {bundle} was trained on masking version {trained}; this code masks by version {configured}.",
            field="masking_version",
            hint="Train again with: frontdesk train (or change masking.name_tagger)",
        )
