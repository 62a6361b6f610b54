"""What the pipeline evaluates and stores of a message that is more than a plain text."""

from __future__ import annotations

import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import InvalidQuery
from frontdesk.masking.masked_message import MaskedMessage
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import (
    Act,
    Action,
    Answer,
    Caller,
    MaskedPart,
    MessageSummary,
    PartKind,
    PartSummary,
    PriorityLevel,
    Query,
    Reason,
    Role,
    Turn,
)
from tests.unit.frontdesk.test_pipeline import Desk

CALLER = Caller("acme", "agent", frozenset({"answer"}))
OWN = "Could you send me the invoice of order 70412?"
QUOTATION = (
    "On 3 May 2026 at 10:02, Shop <help@shop.example> wrote:\n> I will tell my lawyer about order 70412 at once!!!\n"
)
MAIL = f"{OWN}\n\n{QUOTATION}"
ABSENCE = (
    "Automatic reply: I am out of the office until 4 June. In urgent cases please call Tom Fisher on 0171 555 0199."
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def answer_to(desk: Desk, query: Query) -> Answer:
    return await desk.pipeline.answer(query, CALLER, Deadline.after(5))


async def test_models_and_priority_see_the_own_text_only(desk: Desk) -> None:
    answer = await answer_to(desk, Query(MAIL))
    assert desk.champion.texts == ["Could you send me the invoice of order [ORDER_1]?"]
    assert not [part for part in answer.priority.parts if part.name.startswith("cues.")]
    assert answer.act is Act.REQUEST


async def test_the_answer_says_how_the_message_was_split(desk: Desk) -> None:
    answer = await answer_to(desk, Query(MAIL))
    assert answer.message == MessageSummary(
        len(OWN), (PartSummary(PartKind.OWN, len(OWN) + 2), PartSummary(PartKind.QUOTATION, len(QUOTATION)))
    )


async def test_other_parts_are_stored_masked_with_the_placeholders_continued(desk: Desk) -> None:
    await answer_to(desk, Query(MAIL))
    (record,) = desk.recorder.records
    (part,) = record.other_parts
    assert part.kind is PartKind.QUOTATION
    assert "[ORDER_1]" in part.text
    assert "[EMAIL_1]" in part.text
    assert "70412" not in part.text
    assert "help@" not in part.text
    assert record.text.originals == {"[ORDER_1]": "70412"}


async def test_other_parts_are_not_masked_for_a_query_that_is_not_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked_messages: list[MaskedMessage] = []
    monkeypatch.setattr("frontdesk.pipeline.mask_other_parts_steps", masked_messages.append)
    await answer_to(desk, Query(MAIL, store=False, idempotency_key="key"))
    assert masked_messages == []
    assert [record.other_parts for record in desk.recorder.records] == [()]


async def test_a_plain_text_has_no_other_parts(desk: Desk) -> None:
    answer = await answer_to(desk, Query(OWN))
    assert desk.recorder.records[0].other_parts == ()
    assert answer.message == MessageSummary(len(OWN), (PartSummary(PartKind.OWN, len(OWN)),))


async def test_the_html_is_read_instead_of_the_text(desk: Desk) -> None:
    await answer_to(desk, Query("see the HTML part", html="<p>Cancel order&nbsp;70412, please.</p>"))
    assert desk.champion.texts == ["Cancel order [ORDER_1], please."]


async def test_a_subject_is_stored_and_fills_a_slot_that_the_text_leaves_empty(desk: Desk) -> None:
    desk.champion.taxonomy = Taxonomy.read(STARTER_TAXONOMY)
    answer = await answer_to(desk, Query("Where is my parcel?", subject="Order 70412"))
    assert desk.champion.texts == ["Where is my parcel?"]
    assert desk.recorder.records[0].other_parts == (MaskedPart(PartKind.SUBJECT, "Order [ORDER_1]\n"),)
    assert answer.decision.actions[0].slots == {"order": "70412"}
    both = await answer_to(desk, Query("Where is order 70413?", subject="Order 70412"))
    assert both.decision.actions[0].slots == {"order": "70413"}


async def test_a_subject_is_read_where_there_is_no_text(desk: Desk) -> None:
    answer = await answer_to(desk, Query("", subject="Where is order 70412?"))
    assert desk.champion.texts == ["Where is order [ORDER_1]?"]
    assert answer.act is Act.REQUEST


async def test_of_a_transcript_the_customers_turns_are_read(desk: Desk) -> None:
    turns = (Turn(Role.AGENT, "Shall I cancel it?"), Turn(Role.CUSTOMER, "No, change the address."))
    await answer_to(desk, Query("", transcript=turns))
    assert desk.champion.texts == ["No, change the address."]
    assert desk.recorder.records[0].other_parts[0] == MaskedPart(PartKind.TRANSCRIPT, "Shall I cancel it?\n")


class TestAutomatedMail:
    async def test_it_is_a_draft_out_of_scope_without_points_for_its_words(self, desk: Desk) -> None:
        answer = await answer_to(desk, Query(ABSENCE))
        assert (answer.act, answer.intent.in_scope) == (Act.AUTOMATED_MAIL, False)
        assert (answer.decision.action, answer.decision.reasons) == (Action.DRAFT, (Reason.AUTOMATED_MAIL,))
        assert answer.decision.actions == ()
        assert answer.priority.level in (PriorityLevel.LOW, PriorityLevel.MEDIUM)
        assert not [part for part in answer.priority.parts if part.name.startswith("cues.")]

    async def test_headers_tell_it_of_any_text(self, desk: Desk) -> None:
        answer = await answer_to(desk, Query(OWN, headers={"auto-submitted": "auto-replied"}))
        assert answer.act is Act.AUTOMATED_MAIL


class TestEmptyMessages:
    @pytest.mark.parametrize(
        "query",
        [
            Query(QUOTATION),
            Query("", html='<img src="cid:photo.png">'),
            Query("\n-- \nAnn Miller\nHead of purchasing"),
        ],
        ids=["quotation", "picture", "signature"],
    )
    async def test_a_mail_without_own_text_goes_to_a_person(self, desk: Desk, query: Query) -> None:
        answer = await answer_to(desk, query)
        assert (answer.act, answer.intent.in_scope) == (Act.EMPTY, False)
        assert (answer.decision.action, answer.decision.reasons) == (Action.ESCALATE, (Reason.EMPTY_MESSAGE,))

    @pytest.mark.parametrize("text", ["\u200b", "\u2800 \u3164", "\ufeff\n"])
    async def test_text_without_a_visible_character_is_refused(self, desk: Desk, text: str) -> None:
        with pytest.raises(InvalidQuery) as refused:
            await answer_to(desk, Query(text))
        assert refused.value.violations == (("text", "has no visible character"),)
        assert desk.recorder.records == []


class TestLongMessages:
    async def test_a_long_mail_with_a_short_own_text_is_answered(self, desk: Desk) -> None:
        history = "".join(f"> line {number} of what was written before\n" for number in range(1_400))
        answer = await answer_to(desk, Query(f"{OWN}\n\nOn 3 May 2026, Shop wrote:\n{history}"))
        assert answer.message.own_characters == len(OWN)
        assert sum(len(part.text) for part in desk.recorder.records[0].other_parts) >= len(history)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            (Query("word " * 801), "text"),
            (Query("", html=f"<p>{'word ' * 801}</p>"), "html"),
            (Query("", transcript=(Turn(Role.CUSTOMER, "word " * 801),)), "transcript"),
        ],
    )
    async def test_too_much_own_text_is_refused_and_the_field_is_named(
        self, desk: Desk, query: Query, field: str
    ) -> None:
        with pytest.raises(InvalidQuery) as refused:
            await answer_to(desk, query)
        ((name, problem),) = refused.value.violations
        assert name == field
        assert "at most 4000 characters" in problem

    async def test_quotations_do_not_count_and_the_error_says_so(self, desk: Desk) -> None:
        with pytest.raises(InvalidQuery, match="without quotations, signatures and footers; it has 4004"):
            await answer_to(desk, Query(f"{'word ' * 801}\n\n{QUOTATION}"))

    async def test_in_a_batch_only_the_item_fails(self, desk: Desk) -> None:
        queries = [Query("first"), Query("word " * 801), Query("\u200b"), Query("last")]
        first, long, invisible, last = await desk.pipeline.understand_batch(queries, CALLER, Deadline.after(5))
        assert desk.champion.texts == ["first", "last"]
        assert isinstance(first, Answer)
        assert isinstance(last, Answer)
        assert isinstance(long, InvalidQuery)
        assert isinstance(invisible, InvalidQuery)

    async def test_a_batch_of_invalid_items_calls_no_model(self, desk: Desk) -> None:
        results = await desk.pipeline.understand_batch([Query("\u200b"), Query("\u2800")], CALLER, Deadline.after(5))
        assert [type(result) for result in results] == [InvalidQuery, InvalidQuery]
        assert desk.champion.texts == []
