"""The second pass over names, with a tagger that marks given words, and the versions that a bundle records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from frontdesk.errors import BundleError, ConfigurationError
from frontdesk.masking import MASKING_VERSION, mask, mask_steps
from frontdesk.masking.masker import check_masking_version, load_masker, masking_version, pattern_version
from frontdesk.masking.name_tagger import MAX_SEGMENT
from frontdesk.messages import IncomingMessage, parse


class WordTagger:
    """Marks every occurrence of its words, as persons."""

    languages = frozenset(("en",))

    def __init__(self, *words: str) -> None:
        self.pattern = re.compile("|".join(map(re.escape, words)))
        self.texts: list[str] = []

    def find_persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        self.texts.append(text)
        return [match.span() for match in self.pattern.finditer(text)]


def test_a_person_that_only_the_tagger_finds_is_masked_and_restored() -> None:
    text = "I think that Quor Tolvasz has my parcel 48213"
    masked = mask(text, WordTagger("Quor Tolvasz"))
    assert mask(text).text == "I think that Quor Tolvasz has my parcel [ORDER_1]"
    assert masked.text == "I think that [NAME_1] has my parcel [ORDER_1]"
    assert masked.restore(masked.text) == text


def test_the_tagger_sees_no_personal_data_that_is_masked() -> None:
    tagger = WordTagger("Quor")
    mask("You and Quor have order 48213, mail anna@example.com, and this is for [NAME_1]", tagger)
    assert tagger.texts
    assert not any("48213" in text or "anna" in text or "NAME" in text for text in tagger.texts)


@pytest.mark.parametrize("word", ["Order", "Hello", "the parcel", "Team", "QUOR", "Mbps"])
def test_what_is_no_name_is_kept_although_the_tagger_marks_it(word: str) -> None:
    text = f"{word} 48 is what you have and I need it"
    assert mask(text, WordTagger(word)).text == text


def test_a_text_in_another_language_is_not_given_to_the_tagger() -> None:
    tagger = WordTagger("Quor")
    mask("Ich habe mit Quor gesprochen und das ist nicht für mich", tagger)
    assert tagger.texts == []


def test_a_long_text_is_tagged_in_segments_with_steps_between() -> None:
    tagger = WordTagger("Quor")
    steps = list(mask_steps("You told me that Quor has it. " * 400, tagger))
    assert max(map(len, tagger.texts)) <= MAX_SEGMENT
    assert len(steps) >= len(tagger.texts)


@given(
    st.lists(
        st.sampled_from(
            [
                "Quor",
                "Tolvasz",
                "you",
                "the",
                "Dear",
                "48213",
                "[NAME_1]",
                "\n",
                ".",
                ",",
                "order",
                "Anna",
                "Alex",
                "and",
                "from",
            ]
        )
    )
)
@example(["you", "Quor", "48213", "order", "48213"])
@settings(max_examples=300, deadline=None)
def test_masking_with_a_tagger_is_idempotent_and_restores(words: list[str]) -> None:
    tagger, text = WordTagger("Quor Tolvasz", "Tolvasz", "Quor", "Alex Tolvasz"), " ".join(words)
    masked = mask(text, tagger)
    assert mask(masked.text, tagger).text == masked.text
    assert masked.restore(masked.text) == text


def test_a_bundle_of_another_tagger_is_refused_in_one_line() -> None:
    check_masking_version("b", MASKING_VERSION, "off")
    with pytest.raises(BundleError, match="was trained on masking version") as refusal:
        check_masking_version("b", f"{MASKING_VERSION}+spacy-3.8.18", "off")
    assert "\n" not in str(refusal.value)
    assert pattern_version(f"{MASKING_VERSION}+spacy-3.8.18") == MASKING_VERSION


@pytest.mark.skipif(find_spec("spacy") is not None, reason="spaCy is installed")
def test_a_tagger_that_is_not_installed_is_named_with_the_extra() -> None:
    for load in (load_masker, masking_version):
        with pytest.raises(ConfigurationError, match=re.escape("frontdesk[names]")):
            load("spacy")


def test_spacy_finds_an_english_and_a_french_name() -> None:
    pytest.importorskip("spacy")
    masker = load_masker("spacy")
    assert (
        "Petrus Quorl"
        not in masker.mask(
            parse(IncomingMessage("I was told that Petrus Quorl would come to my house on Monday."))
        ).own.text
    )
    assert masking_version("spacy").startswith(f"{MASKING_VERSION}+spacy-")
