"""policy/replies.yaml: synonyms, and invalid files."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from frontdesk.responses.policy import STARTER_REPLIES, ReplyPolicy, Synonyms
from tests.support.reply_writing import POLICY


def test_every_word_of_a_group_becomes_the_first_in_any_case() -> None:
    synonyms = Synonyms.of([["choose", "click on", "click"], ["open", "go to"]])
    assert synonyms.canonicalize("Go to Orders, click on it and CLICK Save") == "open Orders, choose it and choose Save"
    assert synonyms.canonicalize("clicked, ago to") == "clicked, ago to"


def test_a_language_without_groups_is_left_as_it_is() -> None:
    assert POLICY.replace_synonyms("Wählen Sie Storno", "de") == "Wählen Sie Storno"
    assert POLICY.replace_synonyms("About [ORDER_1]: press Cancel", "en") == "About [ORDER_1]: choose Cancel"


def test_no_word_is_in_two_groups() -> None:
    assert not set(POLICY.synonyms["en"].canonical) & set(POLICY.synonyms["en"].canonical.values())


@pytest.mark.parametrize("wrong", ["[]", "{en: []}", "{en: [[one]]}", "{en: [one, two]}", "{en: [[1, 2]]}"])
def test_malformed_groups_are_refused(tmp_path: Path, wrong: str) -> None:
    text = STARTER_REPLIES.read_text(encoding="utf-8")
    before, _, after = text.partition("\nalike:\n")
    path = tmp_path / "replies.yaml"
    path.write_text(f"{before}\nalike: {wrong}\n\nforbidden:{after.partition('forbidden:')[2]}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="alike must list"):
        ReplyPolicy.read(path)
