"""The hot path with fakes: the order of its steps, and masked text at each port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from frontdesk.deadline import Deadline
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.errors import DeadlineExceeded, Overloaded, StorageUnavailable
from frontdesk.features.customer_history import CustomerHistory
from frontdesk.masking.masked_message import mask_message_steps
from frontdesk.pipeline import AnswerQuery
from frontdesk.storage.record_rows import answer_json, parse_earlier_answer
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import (
    Action,
    Answer,
    Caller,
    Candidate,
    FinalAnswer,
    PreliminaryAnswer,
    PriorityLevel,
    Query,
    Reason,
    ReplyRequest,
    Sentence,
    WrittenReply,
)
from tests.support.event_loop import longest_stall
from tests.support.fakes import FakeChampion, FakeCustomers, FakeKeys, FakeRecorder, FakeWriter, understanding
from tests.support.machine_speed import slowness

CALLER = Caller("acme", "agent", frozenset({"answer"}))
TEXT = "Where is order #48213? Write to jane.roe@example.com"


class Desk:
    def __init__(self) -> None:
        self.champion, self.recorder, self.keys = FakeChampion(), FakeRecorder(), FakeKeys()
        self.observed = list[Answer]()
        self.customers = FakeCustomers()
        self.pipeline = AnswerQuery(
            mask_steps=mask_message_steps,
            champion=self.champion,
            customers=self.customers,
            priority=PriorityPolicy.read(STARTER_POLICY),
            max_plausible_to_clarify=3,
            writer=FakeWriter(),
            recorder=self.recorder,
            keys=self.keys,
            observe=self.observed.append,
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_models_and_record_see_masked_text_only(desk: Desk) -> None:
    await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    (record,) = desk.recorder.records
    for text in (desk.champion.texts[0], record.text.text, record.answer.reply.text):
        assert "48213" not in text
        assert "jane.roe" not in text


async def test_the_reply_gets_the_customers_own_values_back(desk: Desk) -> None:
    answer = await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    assert answer.reply.text == f"About {TEXT}"
    assert answer.stored == "committed"


async def test_a_typed_placeholder_fills_no_slot_of_an_action(desk: Desk) -> None:
    text = "Where is my parcel? Order [ORDER_1] and order 48213."
    desk.champion.taxonomy = Taxonomy.read(STARTER_TAXONOMY)
    answer = await desk.pipeline.answer(Query(text), CALLER, Deadline.after(5))
    action, *_ = answer.decision.actions
    assert action.slots == {"order": "48213"}
    assert answer.reply.text == f"About {text}"


async def test_understanding_has_neither_reply_nor_stored(desk: Desk) -> None:
    answer = await desk.pipeline.understand(Query(TEXT), CALLER, Deadline.after(5))
    assert answer.reply is None
    assert answer.stored is None
    assert len(desk.recorder.records) == 1


async def test_store_false_stores_nothing_and_says_so(desk: Desk) -> None:
    answer = await desk.pipeline.answer(Query(TEXT, store=False), CALLER, Deadline.after(5))
    assert answer.stored == "no"
    assert desk.recorder.records == []


async def test_nothing_is_answered_when_it_cannot_be_stored(desk: Desk) -> None:
    desk.recorder.unavailable = True
    with pytest.raises(StorageUnavailable):
        await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    assert desk.observed == []


async def test_an_expired_deadline_stores_nothing(desk: Desk) -> None:
    async def sleep(*_: object, **__: object) -> list[object]:
        await asyncio.sleep(1)
        return []

    desk.champion.understand = sleep
    with pytest.raises(DeadlineExceeded, match="models"):
        await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(0.01))
    assert desk.recorder.records == []


async def test_a_batch_keeps_its_order_and_marks_the_item_that_failed(desk: Desk) -> None:
    queries = [Query("first", store=False), Query("second"), Query("third", store=False)]
    desk.recorder.unavailable = True
    first, second, third = await desk.pipeline.understand_batch(queries, CALLER, Deadline.after(5))
    assert isinstance(second, StorageUnavailable)
    assert isinstance(first, Answer)
    assert isinstance(third, Answer)
    assert desk.champion.texts == ["first", "second", "third"]


async def test_an_ambiguous_message_is_answered_and_stored_with_a_question(desk: Desk) -> None:
    async def torn(*_: object, **__: object) -> list[object]:
        plausible = (Candidate("track_order", 0.5), Candidate("get_refund", 0.4))
        return [replace(understanding(confidence=0.5), plausible=plausible)]

    desk.champion.understand = torn
    understood = await desk.pipeline.understand(Query(TEXT), CALLER, Deadline.after(5))
    answered = await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    decisions = [answer.decision for answer in (understood, answered, *(of.answer for of in desk.recorder.records))]
    assert [decision.action for decision in decisions] == [Action.CLARIFY] * 4
    assert {decision.question for decision in decisions} == {"Is this about “track order”, or about “get refund”?"}
    assert {decision.asks_about for decision in decisions} == {("track_order", "get_refund")}


async def test_a_swapped_champion_serves_the_next_request_under_its_own_version(desk: Desk) -> None:
    before = await desk.pipeline.understand(Query("one"), CALLER, Deadline.after(5))
    desk.pipeline.champion = FakeChampion(version="fake-2")
    after = await desk.pipeline.understand(Query("two"), CALLER, Deadline.after(5))
    assert (before.model_version, after.model_version) == ("fake-1", "fake-2")


async def test_timings_name_each_stage_of_an_answer(desk: Desk) -> None:
    answer = await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    assert list(answer.timings_ms) == ["parse", "mask", "models", "decide", "reply", "total"]
    assert "record" in desk.observed[0].timings_ms


async def test_the_customer_history_raises_the_priority_with_a_reason(desk: Desk) -> None:
    desk.customers.histories = {"ada": CustomerHistory(contacts_7d=2, contacts_7d_by_intent={"track_order": 2})}
    returning = await desk.pipeline.answer(Query(TEXT, customer_id="ada"), CALLER, Deadline.after(5))
    stranger = await desk.pipeline.answer(Query(TEXT, customer_id="bob"), CALLER, Deadline.after(5))
    (part,) = (part for part in returning.priority.parts if part.name.startswith("history."))
    assert returning.priority.score == stranger.priority.score + part.points
    assert part.because == "has written about track_order twice in the last 7 days"
    assert list(returning.timings_ms) == ["parse", "mask", "models", "history", "decide", "reply", "total"]
    assert returning.skipped == stranger.skipped == ()


async def test_an_unavailable_history_is_reported_as_skipped(desk: Desk) -> None:
    desk.customers.histories = None
    queries = [Query(TEXT, customer_id="ada"), Query(TEXT)]
    ada, anonymous = await desk.pipeline.understand_batch(queries, CALLER, Deadline.after(5))
    assert ada.skipped == ("customer_history",)
    assert anonymous.skipped == ()
    assert Reason.DEGRADED not in ada.decision.reasons
    assert ada.priority == anonymous.priority


async def test_no_message_is_automated_that_a_history_could_have_made_urgent(desk: Desk) -> None:
    desk.customers.histories = None
    pressing = Query(f"{TEXT} I need it by tomorrow, right now, immediately", customer_id="ada")
    answer = await desk.pipeline.answer(pressing, CALLER, Deadline.after(5))
    assert answer.priority.level is PriorityLevel.HIGH
    assert Reason.DEGRADED in answer.decision.reasons


class TestEvents:
    async def test_the_preliminary_answer_comes_first_and_the_final_one_after_storing(self, desk: Desk) -> None:
        events = desk.pipeline.stream_answer(Query(TEXT), CALLER, Deadline.after(5))
        progress = [(type(event).__name__, len(desk.recorder.records)) async for event in events]
        assert progress == [("PreliminaryAnswer", 0), ("Sentence", 0), ("Sentence", 0), ("FinalAnswer", 1)]

    async def test_sentences_carry_the_customers_own_values_and_make_the_reply(self, desk: Desk) -> None:
        events = [event async for event in desk.pipeline.stream_answer(Query(TEXT), CALLER, Deadline.after(5))]
        first, *sentences, last = events
        assert isinstance(first, PreliminaryAnswer)
        assert isinstance(last, FinalAnswer)
        assert first.answer.reply is None
        assert first.answer.query_id == last.answer.query_id
        assert "".join(sentence.text for sentence in sentences) == last.answer.reply.text == f"About {TEXT}"

    async def test_closing_the_stream_stops_the_writer_and_nothing_is_stored(self, desk: Desk) -> None:
        stopped = []

        class Endless(FakeWriter):
            async def write(self, request: ReplyRequest, *_: object) -> AsyncGenerator[Sentence | WrittenReply, None]:
                try:
                    while True:
                        yield Sentence("Again. ")
                finally:
                    stopped.append(True)

        desk.pipeline.writer = Endless()
        events = desk.pipeline.stream_answer(Query(TEXT), CALLER, Deadline.after(5))
        await anext(events)
        await anext(events)
        await events.aclose()
        assert stopped == [True]
        assert desk.recorder.records == []

    async def test_there_is_no_final_event_if_it_cannot_be_stored(self, desk: Desk) -> None:
        desk.recorder.unavailable = True
        events = desk.pipeline.stream_answer(Query(TEXT), CALLER, Deadline.after(5))
        assert isinstance(await anext(events), PreliminaryAnswer)
        assert isinstance(await anext(events), Sentence)
        assert isinstance(await anext(events), Sentence)
        with pytest.raises(StorageUnavailable):
            await anext(events)
        assert desk.observed == []


KEYED = Query(TEXT, idempotency_key="a-key")


@pytest.mark.parametrize("operation", ["answer", "understand"])
async def test_a_key_with_a_stored_answer_returns_it_without_any_work(desk: Desk, operation: str) -> None:
    stored = await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    texts, records = len(desk.champion.texts), len(desk.recorder.records)
    desk.keys.earlier = parse_earlier_answer(answer_json(stored))
    again = await getattr(desk.pipeline, operation)(KEYED, CALLER, Deadline.after(5))
    assert answer_json(again) == answer_json(stored)
    assert (len(desk.champion.texts), len(desk.recorder.records)) == (texts, records)


@pytest.mark.parametrize("operation", ["answer", "understand"])
async def test_the_answer_stored_under_a_key_equals_the_returned_one(desk: Desk, operation: str) -> None:
    sent = await getattr(desk.pipeline, operation)(KEYED, CALLER, Deadline.after(5))
    (record,) = desk.recorder.records
    assert record.claim is not None
    assert record.answer_for_caller("committed") == sent


async def test_only_a_failed_request_releases_its_claim(desk: Desk) -> None:
    await desk.pipeline.answer(KEYED, CALLER, Deadline.after(5))
    assert desk.keys.released == []
    desk.recorder.unavailable = True
    for operation in (desk.pipeline.answer, desk.pipeline.understand):
        with pytest.raises(StorageUnavailable):
            await operation(KEYED, CALLER, Deadline.after(5))
    assert [claim.key for claim in desk.keys.released] == ["a-key", "a-key"]


async def test_without_a_key_no_claim_is_acquired(desk: Desk) -> None:
    await desk.pipeline.answer(Query(TEXT), CALLER, Deadline.after(5))
    assert desk.keys.claimed == []


async def test_an_answer_with_a_key_is_stored_despite_store_false(desk: Desk) -> None:
    answer = await desk.pipeline.answer(replace(KEYED, store=False), CALLER, Deadline.after(5))
    assert answer.stored == "no"
    assert len(desk.recorder.records) == 1


SLOW = ("0 0 0 , via " * 400)[:4000]
"""The slowest known text for masking: about 20 ms."""


async def test_a_batch_of_slow_texts_ends_at_its_deadline_without_blocking_the_loop(desk: Desk) -> None:
    ends = asyncio.Event()
    watching = asyncio.create_task(longest_stall(ends))
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await desk.pipeline.understand_batch([Query(SLOW)] * 256, CALLER, Deadline.after(0.3))
    took_s = time.monotonic() - started
    ends.set()
    assert took_s < 0.8  # all 256 would take 5 s
    assert await watching < 0.1 * slowness()  # at most one step of masking; without slices 0.4 s and more
    assert desk.recorder.records == []


async def test_concurrent_slow_texts_are_masked_one_at_a_time(desk: Desk) -> None:
    ends = asyncio.Event()
    watching = asyncio.create_task(longest_stall(ends))
    await asyncio.sleep(0)
    await asyncio.gather(*(desk.pipeline.understand(Query(SLOW), CALLER, Deadline.after(20)) for _ in range(16)))
    ends.set()
    assert await watching < 0.1 * slowness()  # at most one step of masking; without slices 0.4 s and more


async def test_records_of_a_batch_are_created_in_several_passes_of_the_loop(desk: Desk) -> None:
    ends = asyncio.Event()
    watching = asyncio.create_task(longest_stall(ends))
    await asyncio.sleep(0)
    queries = [Query(f"{TEXT} {n}") for n in range(256)]
    answers = await desk.pipeline.understand_batch(queries, CALLER, Deadline.after(20))
    ends.set()
    assert len({answer.query_id for answer in answers}) == len(desk.recorder.records) == 256
    assert await watching < 0.1 * slowness()  # at most one step of masking; without slices 0.4 s and more


async def test_a_batch_that_would_miss_its_deadline_is_refused_before_masking(desk: Desk) -> None:
    def full(lengths: Sequence[int], _: Deadline) -> None:
        raise Overloaded(f"{sum(lengths)} characters are too many.", retry_after_s=1.0)

    desk.champion.check_batch = full
    desk.pipeline.mask_steps = pytest.fail
    with pytest.raises(Overloaded, match="30 characters"):
        await desk.pipeline.understand_batch([Query("0123456789")] * 3, CALLER, Deadline.after(5))
