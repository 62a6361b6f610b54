"""Template replies: the text for each decision, mood and placeholder."""

from __future__ import annotations

from datetime import date

import pytest

from frontdesk.deadline import Deadline
from frontdesk.masking import mask
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge, Passage
from frontdesk.responses.knowledge_base.retrieval import PassageIndex
from frontdesk.responses.reply.clarifying_questions import STARTER_QUESTIONS, ClarifyingQuestions
from frontdesk.responses.reply.writer import TemplateWriter
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import (
    Action,
    Candidate,
    Citation,
    Decision,
    Intent,
    Reply,
    ReplyRequest,
    Sentiment,
    SuggestedAction,
    Uncertainty,
    Understanding,
    WrittenReply,
)
from tests.support.fakes import NoEmbedding

DAY = date(2026, 6, 1)
TAXONOMY = Taxonomy.read(STARTER_TAXONOMY)
QUESTIONS = ClarifyingQuestions.read(STARTER_QUESTIONS)
QUESTION = "Do you want one thing, or another?"


def passage(id: str, intent: str, text: str) -> Passage:
    return Passage(id, f"Title of {id}", (intent,), "lead", date(2026, 1, 1), None, text)


def writer_over(*passages: Passage) -> TemplateWriter:
    return TemplateWriter(PassageIndex.build(Knowledge(passages), NoEmbedding()), QUESTIONS, today=lambda: DAY)


WRITER = writer_over(
    passage("tracking", "track_order", "You can follow your order."),
    passage("delays", "track_order", "Parcels may be late."),
    passage("password", "recover_password", "You can set a new password."),
)


async def reply(
    label: str = "track_order",
    action: Action = Action.AUTOMATE,
    *,
    text: str = "where is it",
    mood: str = "neutral",
    in_scope: bool = True,
    writer: TemplateWriter = WRITER,
    actions: tuple[SuggestedAction, ...] = (),
) -> Reply:
    understanding = Understanding(
        Intent(label, 0.9, (), in_scope, out_of_scope_probability=0.1),
        Sentiment(mood, 0.9, {mood: 0.9}),
        Uncertainty(0.1, 0.05, 0.05, "ensemble"),
        members=(),
        plausible=(Candidate(label, 0.9),),
        automation_threshold=0.8,
    )
    question = QUESTION if action is Action.CLARIFY else None
    request = ReplyRequest("acme", mask(text), understanding, Decision(action, (), (), question, actions=actions))
    *sentences, result = [piece async for piece in writer.write(request, Deadline.after(1))]
    assert isinstance(result, WrittenReply)
    assert "".join(sentence.text for sentence in sentences) == result.reply.text
    return result.reply


@pytest.mark.parametrize("action", [Action.AUTOMATE, Action.DRAFT])
async def test_an_answer_is_greeting_passages_and_closing_line_with_citations(action: Action) -> None:
    answer = await reply(action=action)

    assert answer == Reply(
        "Hello, thank you for your message.\n\n"
        "You can follow your order.\n\n"
        "Parcels may be late.\n\n"
        "If anything is still open, just reply to this message.\n\n"
        "Your support team",
        "template",
        (Citation("tracking", "Title of tracking"), Citation("delays", "Title of delays")),
    )


@pytest.mark.parametrize(
    ("mood", "greeting"),
    [("negative", "we are sorry"), ("neutral", "thank you for your message"), ("positive", "kind words")],
)
@pytest.mark.parametrize("action", Action)
async def test_every_reply_begins_with_a_greeting_that_fits_the_mood(mood: str, greeting: str, action: Action) -> None:
    answer = await reply(mood=mood, action=action)

    assert greeting in answer.text.splitlines()[0]
    assert answer.text.endswith("Your support team")


async def test_the_order_of_the_message_is_named_where_the_answer_is_about_orders() -> None:
    answer = await reply(text="where is order 48213? mail anna@example.com")

    assert "\n\nAbout order [ORDER_1]: You can follow your order." in answer.text


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("where is order 48213, and order 48214?", "About orders [ORDER_1] and [ORDER_2]: "),
        ("where are orders 48213, 48214 and 48215?", "About orders [ORDER_1], [ORDER_2] and [ORDER_3]: "),
        ("order 48213 came, but order 48214 did not", "About order [ORDER_2]: "),
        ("not order 48213, order 48214 please", "About order [ORDER_2]: "),
        ("where are orders 48213, 48214, 48215, 48216 and 48217?", "You can follow"),
    ],
)
async def test_a_reply_names_all_orders_that_are_asked_about_or_none(text: str, start: str) -> None:
    answer = await reply(text=text)

    assert answer.text.split("\n\n")[1].startswith(start)
    assert ("[ORDER_1]" in answer.text) is ("[ORDER_1]" in start)


async def test_an_order_number_that_was_given_is_not_asked_for() -> None:
    writer = writer_over(*Knowledge.read(STARTER_KNOWLEDGE).passages)

    for intent in ("track_order", "track_refund", "complaint", "payment_issue", "get_invoice"):
        without = await reply(intent, Action.DRAFT, text="it is late, please help me now", writer=writer)
        with_order = await reply(intent, Action.DRAFT, text="order 48213 is late, please help me now", writer=writer)
        assert "your order number" in without.text
        assert "your order number" not in with_order.text
        assert "[[" not in without.text + with_order.text


async def test_an_order_number_in_the_subject_is_not_asked_for() -> None:
    writer = writer_over(*Knowledge.read(STARTER_KNOWLEDGE).passages)
    actions = (SuggestedAction("look_up_tracking", {"order": "[ORDER_1]"}),)

    answer = await reply(text="it is late, please help me now", writer=writer, actions=actions)

    assert "your order number" not in answer.text


async def test_a_placeholder_that_the_customer_typed_is_not_the_order_of_the_reply() -> None:
    answer = await reply(text="Where is my parcel? Order [ORDER_1] and order 48213.")

    assert "About order [ORDER_2]: " in answer.text
    assert "ORDER_1" not in answer.text
    assert "About order" not in (await reply(text="Where is my parcel? Order [ORDER_1].")).text


async def test_an_order_is_not_named_if_the_intent_is_not_about_orders() -> None:
    assert "[ORDER_1]" not in (await reply("recover_password", text="password lost, order 48213")).text


@pytest.mark.parametrize("action", [Action.CLARIFY, Action.ESCALATE])
async def test_an_order_is_named_only_in_an_answer(action: Action) -> None:
    assert "[ORDER_1]" not in (await reply(action=action, text="order 48213")).text


async def test_a_message_that_is_escalated_is_handed_over_without_citation() -> None:
    answer = await reply(action=Action.ESCALATE, mood="negative")

    assert answer.text == (
        "Hello, we are sorry for the trouble.\n\n"
        "A colleague from our team will take this over and reply to you personally.\n\n"
        "Your support team"
    )
    assert answer.citations == ()


async def test_a_message_out_of_scope_is_never_answered_from_a_passage() -> None:
    assert await reply(in_scope=False, action=Action.DRAFT) == await reply(action=Action.ESCALATE)


async def test_without_a_passage_a_person_takes_over() -> None:
    assert await reply("review") == await reply(action=Action.ESCALATE)


async def test_an_expired_passage_is_not_sent() -> None:
    expired = Passage("old", "Old", ("track_order",), "lead", date(2026, 1, 1), date(2026, 5, 31), "Old text.")

    answer = await reply(writer=writer_over(expired))

    assert "Old text." not in answer.text
    assert answer.citations == ()


async def test_to_clarify_the_reply_is_the_decisions_question_and_cites_nothing() -> None:
    assert await reply(action=Action.CLARIFY) == Reply(
        f"Hello, thank you for your message.\n\nWe have one question first. {QUESTION}\n\nYour support team",
        "template",
        (),
    )


async def test_the_starter_passages_answer_every_intent_that_is_not_always_handed_over() -> None:
    writer = writer_over(*Knowledge.read(STARTER_KNOWLEDGE).passages)

    for intent in TAXONOMY.intents:
        answer = await reply(intent.name, Action.DRAFT, text="it is [ORDER_1]", writer=writer)
        assert len(answer.citations) == 1, intent.name
