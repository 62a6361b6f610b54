"""The panel of one answer for the terminal."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import TypeAdapter
from rich.console import Console

from cli.answer_panel import answer_panel
from frontdesk.types import Action, Answer, Decision, SuggestedAction
from tests.support.records import record


def render_panel(decision: Decision) -> str:
    answer = replace(record().answer, decision=decision)
    console = Console(width=160)
    with console.capture() as captured:
        console.print(answer_panel(json.loads(TypeAdapter(Answer).dump_json(answer, exclude_none=True))))
    return captured.get()


def test_a_question_to_the_customer_is_shown_with_the_decision() -> None:
    question = "Do you want to open an account, or to buy something?"

    assert f"ask: {question}" in render_panel(
        Decision(Action.CLARIFY, (), (), question, ("create_account", "place_order"))
    )


def test_without_a_question_nothing_is_asked() -> None:
    assert "ask:" not in render_panel(Decision(Action.DRAFT, (), ("look_up_order",)))


def test_actions_are_shown_with_the_slots_filled_from_the_message() -> None:
    look_up = SuggestedAction("look_up_order", {"order": "48213"})

    assert "next: look_up_order (order 48213)" in render_panel(
        Decision(Action.DRAFT, (), ("look_up_order",), actions=(look_up,))
    )
