"""Denials of a phrase."""

from __future__ import annotations

import pytest

from frontdesk.decision.negation import contains_negation, is_denied
from frontdesk.decision.phrases import fold_text, tokenize


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("nobody was FIRE", True),
        ("no one in the family had a FIRE", True),
        ("there was no FIRE", True),
        ("it was neither smoke nor FIRE", True),
        ("no theft or FIRE", True),
        ("I do not think it was FIRE", True),
        ("I don't want any FIRE", True),
        ("without FIRE", True),
        ("FIRE ? no.", True),
        ("FIRE: none", True),
        ("FIRE was not involved", True),
        ("anti-FIRE", True),
        ("FIRE-proof", True),
        ("FIRE protection", True),
        ("not only FIRE", False),
        ("nothing but FIRE", False),
        ("no doubt FIRE", False),
        ("No, FIRE", False),
        ("no the FIRE", False),
        ("not that I know. FIRE", False),
        ("do not ignore FIRE", False),
        ("why was this not treated as FIRE", False),
        ("whether or not FIRE", False),
        ("I can not FIRE", False),
        ("I can't FIRE", False),
        ("isn't this FIRE?", False),
        ("is this not FIRE?", False),
        ("I have never felt so FIRE", False),
        ("I have never seen such FIRE", False),
        ("this isn't FIRE?", True),
        ("I did not get my FIRE", False),
        ("I don't want it to FIRE", False),
        ("you do nothing about FIRE", False),
        ("no FIRE yet", False),
        ("it has never been so FIRE", False),
        ("I do not know who did FIRE", False),
        ("FIRE? yes", False),
        ("FIRE", False),
    ],
)
def test_a_negation_denies_what_it_carries_on_to(text: str, denied: bool) -> None:
    tokens = tokenize(fold_text(text))
    start = tokens.index("fire")
    assert is_denied(tokens, start, start + 1) is denied


def test_phrases_with_a_negation_are_recognized() -> None:
    assert contains_negation(["wasn't", "me"])
    assert contains_negation(["can't", "breathe"])
    assert not contains_negation(["hacked"])
