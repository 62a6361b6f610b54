"""Clarifying questions in the customer's language: complete, checked like any reply, English if a wish is missing."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from frontdesk.deadline import Deadline
from frontdesk.decision.clarification import clarifying_question
from frontdesk.errors import ConfigurationError
from frontdesk.masking import mask
from frontdesk.responses.checks.run import run_checks
from frontdesk.responses.checks.types import Draft
from frontdesk.responses.reply.clarifying_questions import ClarifyingQuestions
from frontdesk.responses.reply.template import PHRASES
from frontdesk.responses.reply.writer import TemplateWriter
from frontdesk.responses.text.language_detection import LANGUAGES, detect_language
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import Action, Decision, Reason, ReplyRequest, WrittenReply
from tests.support.fakes import understanding
from tests.support.reply_writing import DAY, POLICY, QUESTIONS, TEMPLATES

TAXONOMY = Taxonomy.read(STARTER_TAXONOMY)
OTHERS = [language for language in LANGUAGES if language != "en"]
LABELS = ("cancel_order", "get_refund")
GERMAN = "Ich möchte bitte das Geld für meine Bestellung zurück, oder sie soll nicht mehr kommen."


async def write_question(text: str, labels: tuple[str, ...] = LABELS, language: str | None = None) -> WrittenReply:
    english = clarifying_question([TAXONOMY.policy(label) for label in labels])
    decision = Decision(Action.CLARIFY, (Reason.AMBIGUOUS,), (), english, labels)
    request = ReplyRequest("acme", mask(text), understanding(labels[0]), decision, language=language)
    writer = TemplateWriter(TEMPLATES.retrieval, QUESTIONS, today=lambda: DAY)
    *_, last = [piece async for piece in writer.write(request, Deadline.after(1))]
    assert isinstance(last, WrittenReply)
    return last


async def test_a_german_message_gets_a_german_question_and_the_decision_stays() -> None:
    result = await write_question(GERMAN)
    assert result.reply.text == (
        "Guten Tag, vielen Dank für Ihre Nachricht.\n\n"
        "Wir haben zuerst eine Frage. Möchten Sie eine Bestellung stornieren oder eine Erstattung beantragen?\n\n"
        "Ihr Support-Team"
    )
    assert result.decision.action is Action.CLARIFY
    assert result.decision.question == clarifying_question([TAXONOMY.policy(label) for label in LABELS])


async def test_the_callers_language_takes_precedence_over_the_text() -> None:
    assert "Souhaitez-vous annuler une commande ou" in (await write_question(GERMAN, language="fr-CA")).reply.text


@pytest.mark.parametrize("language", ["en", "pl", None])
async def test_english_and_languages_without_questions_get_an_english_question(language: str | None) -> None:
    text = (await write_question("order money", language=language)).reply.text
    assert "We have one question first. Do you want to cancel an order that was placed, or to get money back?" in text


async def test_a_question_is_never_in_two_languages() -> None:
    text = (await write_question(GERMAN, ("cancel_order", "an_intent_of_the_teams_own"))).reply.text
    assert text.startswith("Hello, thank you for your message.\n\nWe have one question first. Do you want")


@pytest.mark.parametrize("language", OTHERS)
def test_every_intent_and_phrase_is_written_in_every_language(language: str) -> None:
    assert set(QUESTIONS.languages[language].by_intent) == set(TAXONOMY.labels)
    assert set(PHRASES[language]) == set(PHRASES["en"])


@pytest.mark.parametrize("language", OTHERS)
def test_every_question_passes_the_checks_of_a_reply(language: str) -> None:
    """All pairs of intents, and threes: quantities, links, commitments, tone, leaks, form, length and language."""
    selections = [
        *combinations(TAXONOMY.labels, 2),
        *zip(TAXONOMY.labels, TAXONOMY.labels[9:], TAXONOMY.labels[18:], strict=False),
    ]
    for labels in selections:
        text = f"{PHRASES[language]['before_a_question']} {QUESTIONS.ask(labels, language)}"
        results = run_checks(Draft(text, mask("?"), (), language, POLICY, unattended=False))
        assert [(result.name, result.findings) for result in results if not result.passed] == [], text
        assert detect_language(text) in (language, None), text


def test_three_wishes_are_an_enumeration() -> None:
    labels = ("cancel_order", "get_refund", "complaint")
    assert QUESTIONS.ask(labels, "nl") == (
        "Wilt u een bestelling annuleren, een terugbetaling aanvragen of een klacht indienen?"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[", "not valid YAML"),
        ("- de", "a mapping of languages"),
        ("de: {asked: x}", "must have exactly asked, or, wishes"),
        ("de: {asked: 'Was?', or: oder, wishes: {}}", "has no {wishes}"),
        ("de: {asked: 'Wollen Sie {wishes}?', or: oder, wishes: [a]}", "mapping of intents"),
    ],
)
def test_a_file_that_is_wrong_is_refused_and_says_where(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem):
        ClarifyingQuestions.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file of questions"):
        ClarifyingQuestions.read(tmp_path / "none.yaml")
