"""Folding gives one spelling of a text and the original position of each character."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.folding import fold

FOLDED = [
    ("4111\u00a01111\u202f1111\t1111", "4111 1111 1111 1111"),
    ("two  blanks \u2009 and more", "two blanks and more"),
    ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
    ("an\u00adna@exam\u200bple.com\ufeff", "anna@example.com"),
    ("4\ufe0f\u20e31\ufe0f\u20e3", "41"),
    ("1\u03361\u0336", "11"),
    ("cafe\u0301", "caf\u00e9"),
    ("20\u201330 \u2212 5\u20111", "20-30 - 5-1"),
    ("\uff34\uff4f\uff4d\uff20\uff11\uff12\uff0e", "Tom@12."),
    ("\U0001d7d2\u2463 \u0664\u0967", "44 41"),
    ("&#64;&commat;&#x40;&nbsp;&#160;x&shy;y&amp;#64;", "@@@ xy@"),
    ("anna%40example.com", "anna@example.com"),
    ("anna (at) example (dot) com", "anna@example.com"),
    ("anna [at] example[.]com", "anna@example.com"),
    ("anna dot berg at example dot co dot uk", "anna.berg@example.co.uk"),
    ("anna arroba example punto es", "anna@example.es"),
    ("anna @ example.com", "anna@example.com"),
    ("D\u041589 and \u0410NNA", "DE89 and ANNA"),
]
UNCHANGED = [
    "",
    "Hello, my order has not arrived.\nThanks\n\nTom",
    "H&M and B&B; a &copy of it",
    "n\u00ba 3\u00aa, 48213\u00b2, 20\u00a0\u20ac".replace("\u00a0", " "),
    "ordered it @ example.com",
    "I look at the dot on the map",
    "\u0430\u043d\u043d\u0430 \u041c\u0410\u041c\u0410",  # all Cyrillic
    "\u03ba\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1",
    "\u0939\u093f\u0928\u094d\u0926\u0940",  # Hindi, whose marks belong to its letters
    "50%40",
    "\0",
]


@pytest.mark.parametrize(("text", "expected"), FOLDED)
def test_a_text_is_folded_to_one_spelling(text: str, expected: str) -> None:
    assert fold(text).text == expected


@pytest.mark.parametrize("text", UNCHANGED)
def test_a_text_with_one_spelling_is_not_changed(text: str) -> None:
    assert fold(text).text == text


def test_a_span_in_the_original_includes_removed_characters_inside_and_after_it() -> None:
    text = "card 4\ufe0f\u20e31\ufe0f\u20e3 &#64; end"
    folded = fold(text)
    start = folded.text.index("41")
    assert text[slice(*folded.original_span(start, start + 2))] == "4\ufe0f\u20e31\ufe0f\u20e3"
    at = folded.text.index("@")
    assert text[slice(*folded.original_span(at, at + 1))] == "&#64;"


SIGNS = ("@", " @ ", "(at)", " at ", " dot ", "[.]", "&#64;", "&shy;", "%40", "&amp;", "&#0;", "&#99999999;", "com")
PIECES = st.sampled_from([*"a1 \t\n\r\0-", *"\u00a0\u200b\u00ad\u0301\u20e3\uff11\u0430\u2013\U000e0041", "  ", *SIGNS])


@given(st.one_of(st.text(), st.lists(PIECES, max_size=24).map("".join)))
@settings(max_examples=500, deadline=None)
def test_positions_never_descend_and_cover_the_original(text: str) -> None:
    folded = fold(text)
    positions = list(folded.positions)
    assert len(positions) == len(folded.text) + 1
    assert positions == sorted(positions)
    assert positions[-1] == len(text)
    assert all(0 <= position <= len(text) for position in positions)


@given(st.text(alphabet=st.characters(max_codepoint=0x7F, categories=["L", "N"])))
def test_plain_letters_and_digits_are_returned_unchanged(text: str) -> None:
    assert fold(text).text is text


HOSTILE = {
    "blanks": " " * 4000,
    "no-break spaces": "\u00a0" * 4000,
    "blanks and zero widths": "1\u00a0\u200b" * 1300,
    "dashes": "\u2013" * 4000,
    "marks": "a" + "\u0301" * 3999,
    "marked letters": "a\u0336" * 2000,
    "at signs": " @ " * 1300,
    "words around at signs": "a @ " * 1000,
    "spoken addresses": "a at b dot " * 360,
    "dots": "a dot " * 660,
    "entities": "&#64;" * 800,
    "ampersands": "&" * 4000,
    "almost entities": "&amp;" * 800,
    "brackets": "( [ { " * 660,
    "at in brackets": "(at)" * 1000,
    "carriage returns": "\r" * 4000,
    "look-alikes": "\u0430a" * 2000,
    "percent": "a%40" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_folded_in_under_15_milliseconds(name: str) -> None:
    def seconds() -> float:
        started = time.thread_time()
        fold(HOSTILE[name])
        return time.thread_time() - started

    assert min(seconds() for _ in range(5)) < 0.015
