"""The model card: its sections, its metrics, and escaping of names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.reports import calibration, manifest, metrics, report_data, with_old_metrics
from training.report.intent_calibration import measure_intent_calibration
from training.report.limitations import Limitation, list_limitations
from training.report.model_card import escape_markdown, model_card
from training.report.report_data import ReportData

INTENTS = ("refund", "invoice", "order")


def card_of(given: ReportData) -> str:
    result = measure_intent_calibration(given.predictions)
    return model_card(given, result, list_limitations(given, result))


def test_the_card_says_what_it_is_for_what_it_is_made_of_and_how_to_make_it_again() -> None:
    card = card_of(report_data())
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Model details", "## Intended use", "## Limits", "## Data", "## Metrics", "## How to reproduce",
    ]  # fmt: skip
    for fact in (
        "logistic_regression, distilbert", "200 train, 50 calibration, 50 test", "ab" * 32,
        "| **meta-learner (ensemble)** | 0.900 | 0.800 | 0.250 |", "| near: of intents withheld from training | 4 |",
        "frontdesk train --data ours --profile tiny",
    ):  # fmt: skip
        assert fact in card, fact


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for block in card_of(report_data()).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1


def test_a_card_of_before_today_says_nothing_that_is_not_known() -> None:
    card = card_of(report_data(manifest=manifest(INTENTS, with_old_metrics(metrics(INTENTS)))))
    assert "starts from" not in card
    assert "re-splits" not in card


def test_minilm_in_another_architecture_is_called_what_it_is() -> None:
    created = manifest(INTENTS)
    weights = {"distilbert": "minilm", "roberta": "roberta-base"}
    card = card_of(report_data(manifest=replace(created, data={**created.data, "weights": weights})))
    assert "distilbert starts from: all-MiniLM-L6-v2, copied into the distilbert architecture" in card
    assert "roberta starts from: roberta-base" in card


def test_a_card_without_a_certificate_does_not_mention_answers_without_a_person() -> None:
    assert "without a person where" in card_of(report_data())
    assert "without a person where" not in card_of(report_data(calibration=calibration(None)))


def test_no_message_is_on_the_card() -> None:
    assert "[ORDER" not in card_of(report_data()).replace("\\", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay | now", r"pay \| now"),
        ("<script>", r"\<script\>"),
        ("[a](b)", r"\[a\](b)"),
        ("*x* `y`", r"\*x\* \`y\`"),
        ("get_refund", "get_refund"),
        ("_a_", r"\_a\_"),
        ("two\n# lines", "two # lines"),
    ],
)
def test_markup_in_a_name_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown


def test_a_source_cannot_leave_its_code_block() -> None:
    created = manifest(INTENTS)
    hostile = replace(created, data={**created.data, "source": "a\n```\n# big"})
    card = model_card(report_data(manifest=hostile), (), [Limitation("x", "y")])
    assert "frontdesk train --data a # big --profile tiny" in card
    assert card.count("```") == 2
