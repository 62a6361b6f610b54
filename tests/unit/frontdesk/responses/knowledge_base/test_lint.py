"""Findings of `frontdesk knowledge check`: gaps, expiry, contradictions; the starter passages have none."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge, Passage
from frontdesk.responses.knowledge_base.lint import KnowledgeProblem, find_problems
from frontdesk.taxonomy import STARTER_TAXONOMY, IntentPolicy, Taxonomy
from frontdesk.types import CustomerTier

DAY = date(2026, 6, 1)
STARTER = Knowledge.read(STARTER_KNOWLEDGE)
SHOP = Taxonomy.read(STARTER_TAXONOMY)


def passage(id: str, text: str, until: date | None = None, audience: tuple[CustomerTier, ...] = ()) -> Passage:
    return Passage(id, id, ("returns",), "lead", date(2026, 1, 1), until, text, audience)


def lint_passages(*passages: Passage, escalate: bool = False) -> list[tuple[str, str]]:
    taxonomy = Taxonomy((IntentPolicy("returns", escalate=escalate),), {})
    return [
        (problem.kind, problem.rule)
        for problem in find_problems(Knowledge(passages), taxonomy, DAY, timedelta(days=30))
    ]


def test_the_starter_passages_have_no_problem() -> None:
    assert find_problems(STARTER, SHOP, DAY, timedelta(days=30)) == ()


def test_an_intent_whose_passages_have_all_ended_is_an_error() -> None:
    assert lint_passages(passage("old", "Send it back.", date(2026, 5, 31))) == [
        ("error", "missing"),
        ("warning", "expired"),
    ]


def test_a_gap_is_only_a_warning_where_a_person_always_takes_over() -> None:
    other = dataclasses.replace(passage("other", "Text."), intents=("elsewhere",))
    assert lint_passages(other, escalate=True) == [("warning", "missing"), ("warning", "unknown-intent")]


def test_a_passage_that_ends_soon_is_a_warning() -> None:
    assert lint_passages(passage("soon", "Send it back.", date(2026, 6, 20))) == [("warning", "expiring")]


@pytest.mark.parametrize(
    "other",
    ["Items can be returned within 14 days of delivery.", "Return your items within two weeks of the delivery."],
)
def test_other_days_for_the_same_thing_contradict_each_other(other: str) -> None:
    assert lint_passages(passage("a", "You can return items within 30 days of delivery."), passage("b", other)) == [
        ("error", "contradiction")
    ]


@pytest.mark.parametrize(
    "other",
    [
        "You can return items within thirty days of delivery.",
        "A refund arrives within 14 days of the return.",
        "Your account is deleted within 14 days.",
    ],
)
def test_the_same_days_or_another_subject_do_not_contradict(other: str) -> None:
    assert lint_passages(passage("a", "You can return items within 30 days of delivery."), passage("b", other)) == []


def test_two_audiences_may_be_promised_different_things() -> None:
    free = passage("a", "Return items within 30 days of delivery.", audience=(CustomerTier.FREE,))
    paid = passage("b", "Return items within 60 days of delivery.", audience=(CustomerTier.PREMIUM,))
    assert lint_passages(free, paid) == []


def test_a_changed_figure_in_a_starter_passage_is_noticed() -> None:
    changed = tuple(
        dataclasses.replace(item, text=item.text.replace("30 days", "14 days")) if item.id == "cancel-order" else item
        for item in STARTER.passages
    )
    problems: tuple[KnowledgeProblem, ...] = find_problems(Knowledge(changed), SHOP, DAY, timedelta(days=30))
    assert problems
    assert all(item.rule == "contradiction" and "cancel-order" in item.passages for item in problems)
