"""Cues of the starter policy on sentences of everyday mail, and the time that hostile texts take."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from frontdesk.decision.cues import CueMatcher, PriorityCue
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy

SENTENCES = yaml.safe_load(Path(__file__).with_name("cue_sentences.yaml").read_text(encoding="utf-8"))
MATCHER = PriorityPolicy.read(STARTER_POLICY).cues


def rows(kind: str) -> list[tuple[str, str]]:
    return [(cue, text) for cue, texts in SENTENCES[kind].items() for text in texts]


def cue_names(text: str) -> set[str]:
    return {cue.name for cue in MATCHER.find(text)}


def matcher(*phrases: str, points: float = 10, unless: tuple[str, ...] = (), deniable: bool = True) -> CueMatcher:
    return CueMatcher.build([PriorityCue("danger", points, "is a danger", phrases, unless, deniable)])


@pytest.mark.parametrize(("cue", "text"), rows("counts"))
def test_a_real_cue_counts(cue: str, text: str) -> None:
    assert cue in cue_names(text)


@pytest.mark.parametrize(("cue", "text"), rows("gives_nothing"))
def test_a_denied_cue_or_another_meaning_gives_nothing(cue: str, text: str) -> None:
    assert cue not in cue_names(text)


@pytest.mark.parametrize(("cue", "text"), rows("counts"))
def test_a_real_cue_counts_beside_a_denied_one(cue: str, text: str) -> None:
    assert cue in cue_names(f"Nobody was injured and I was not hacked. {text}")


def test_half_of_the_sentences_are_real_cues() -> None:
    real, others = len(rows("counts")), len(rows("gives_nothing"))
    assert real >= 80
    assert others >= 80


def test_a_phrase_counts_unless_a_longer_phrase_with_another_meaning_includes_it() -> None:
    court = matcher("court", "to court", unless=("tennis ~2 court", "court ~3 racket"))

    assert not court.find("a tennis court")
    assert court.find("a court case")
    assert court.find("I take you to court for the racket")
    assert court.find("no tennis. court")


def test_a_cue_of_times_is_not_denied() -> None:
    assert matcher("for weeks", deniable=False).find("nothing for weeks")
    assert not matcher("for weeks").find("nothing for weeks")


def test_text_of_a_calming_cue_is_neither_a_cue_nor_a_negation() -> None:
    cues = CueMatcher.build(
        [
            PriorityCue("danger", 10, "is a danger", ("fire",)),
            PriorityCue("patience", -8, "can wait", ("no rush",)),
        ]
    )

    assert [cue.name for cue in cues.find("no rush, fire")] == ["patience", "danger"]


UNITS = [
    "a",
    "not ",
    "nobody was ",
    "a, ",
    "hack ",
    "court ",
    "not not urgent ",
    "no big ",
    "1.",
    "\n",
    "\n \n",
    "not - ",
]
UNITS += ["mould ", "'", "i'll ", "post ", "tennis ", "(", "\u0130", "é ", "[", "not a very ", "unauthorised ", "-"]


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_texts_take_linear_time(unit: str) -> None:
    # 64 kB take 10 to 80 ms. A quadratic pattern takes seconds to minutes.
    text = unit * (2**16 // len(unit))
    start = time.process_time()
    MATCHER.find(text)
    assert time.process_time() - start < 1
