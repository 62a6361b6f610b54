"""The hot path: everything that happens to one customer message, from top to bottom.

    (claim the key) -> parse -> mask -> understand -> (load the history) -> priority -> decision -> (reply)
                    -> store the record

Steps in parentheses depend on the request: an Idempotency-Key, a customer id, a reply. `AnswerQuery` gets all its
dependencies as ports, the protocols below, and reads no globals. HTTP, gRPC and the command line call the same
`AnswerQuery`. This module does not depend on a web framework, a database or a model library.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from frontdesk.deadline import Deadline
from frontdesk.decision.acts import select_policy_inputs
from frontdesk.decision.handoff_summary import summarize_handoff
from frontdesk.decision.history_summary import summarize_contacts
from frontdesk.decision.priority import PriorityPolicy
from frontdesk.decision.rules import decide
from frontdesk.decision.slot_filling import fill_slots
from frontdesk.errors import FrontdeskError
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory
from frontdesk.identifiers import uuid7
from frontdesk.masking.masked_message import MaskedMessage, mask_other_parts_steps
from frontdesk.messages.limits import parse_message
from frontdesk.taxonomy import Taxonomy
from frontdesk.time_slicing import CooperativeSteps, TimeSlicer, chain_steps, run_steps
from frontdesk.types import (
    Action,
    Answer,
    AnswerEvent,
    Caller,
    Claim,
    EarlierAnswer,
    FinalAnswer,
    MaskedPart,
    MaskedText,
    Message,
    PreliminaryAnswer,
    Query,
    Record,
    ReplyRequest,
    Sentence,
    Understanding,
    WrittenReply,
    restore_originals,
)

MIN_SLICED_CHARACTERS = 500
"""Texts of at least this many characters are masked in time slices. The slowest text of 500 characters takes 3 ms."""
RECORDS_PER_PASS = 16
"""Number of records of a batch that are started in one pass of the event loop. Each takes about 0.2 ms."""
OBSERVE_TIMEOUT_S = 10.0
CUSTOMER_HISTORY = "customer_history"  # its name in `Answer.skipped`

PARSING = "the messages were parsed"
MASKING = "the message was masked"
PREDICTING = "the models processed the message"
DECIDING = "the decisions were made"


class Champion(Protocol):
    """The served bundle, loaded and warm. It applies no policy: its output depends on the text only."""

    @property
    def version(self) -> str: ...

    @property
    def taxonomy(self) -> Taxonomy: ...

    async def understand(
        self, texts: Sequence[MaskedText], deadline: Deadline, *, tenant: str, fresh: bool = False
    ) -> Sequence[Understanding]: ...

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        """Raise `Overloaded` if texts of these lengths in characters would miss the deadline."""


class CustomerHistorySource(Protocol):
    """Loads the histories of customers before `at`, by customer id; None if they are not available in time."""

    async def load_histories(
        self, tenant: str, customer_ids: Collection[str], at: datetime
    ) -> Mapping[str, CustomerHistory] | None: ...


class ReplyWriter(Protocol):
    """Yields the masked reply: each `Sentence` as soon as it may be shown, then a `WrittenReply`, the stored reply."""

    def write(self, request: ReplyRequest, deadline: Deadline) -> AsyncGenerator[Sentence | WrittenReply, None]: ...


class Recorder(Protocol):
    """Stores a record durably and returns where: "committed" or "spooled". Raises `StorageUnavailable`."""

    async def store(self, record: Record) -> str: ...


class IdempotencyClaims(Protocol):
    """Claims on Idempotency-Keys. `acquire` returns a claim, or the answer that is stored under the key.

    `acquire` raises `IdempotencyKeyInFlight` and `IdempotencyKeyReused`.
    """

    async def acquire(self, key: str, operation: str, query: Query, caller: Caller) -> Claim | EarlierAnswer: ...

    def release(self, claim: Claim, caller: Caller) -> None: ...


@dataclass(slots=True)
class AnswerQuery:
    """The use case: answer one message, or understand one or several.

    `champion` may be replaced at any time; a request keeps the one with which it started.
    """

    mask_steps: Callable[[Message], CooperativeSteps[MaskedMessage]]
    champion: Champion
    customers: CustomerHistorySource
    priority: PriorityPolicy
    max_plausible_to_clarify: int
    writer: ReplyWriter
    recorder: Recorder
    keys: IdempotencyClaims
    observe: Callable[[Answer], None]
    time_slicer: TimeSlicer = dataclasses.field(default_factory=TimeSlicer)

    async def answer(self, query: Query, caller: Caller, deadline: Deadline) -> Answer:
        """Understand one message, decide, write the reply and store the record. Sets `reply` and `stored`."""
        async with aclosing(self.stream_answer(query, caller, deadline)) as events:
            (final,) = [event async for event in events if isinstance(event, FinalAnswer)]
        return final.answer

    async def stream_answer(
        self, query: Query, caller: Caller, deadline: Deadline
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Yield the events of `answer`: a `PreliminaryAnswer`, each `Sentence` of the reply, and a `FinalAnswer`.

        The `FinalAnswer` comes after the record is stored. Closing the generator earlier stops the reply writer, and
        nothing is stored. If an answer is stored under the Idempotency-Key, a `FinalAnswer` with it is the only event.
        """
        claim = await self._acquire_claim("answer", query, caller, deadline)
        if isinstance(claim, EarlierAnswer):
            yield FinalAnswer(claim)
            return
        try:
            async with aclosing(self._stream_events(query, caller, deadline, claim)) as events:
                async for event in events:
                    if isinstance(event, FinalAnswer):
                        final = event
                    else:
                        yield event
        except BaseException:  # also when the caller disconnects
            self._release_claim(claim, caller)
            raise
        yield final  # outside the `try`: the record is stored, and a caller who disconnects must not release the claim

    async def understand(self, query: Query, caller: Caller, deadline: Deadline) -> Answer:
        """Understand one message and decide, without a reply."""
        return await self._run_idempotently("understand", self._understand, query, caller, deadline)

    async def _run_idempotently(
        self, operation: str, handler: Handler, query: Query, caller: Caller, deadline: Deadline
    ) -> Answer:
        """Call `handler`, or return the answer that is stored under the caller's Idempotency-Key."""
        claim = await self._acquire_claim(operation, query, caller, deadline)
        if isinstance(claim, EarlierAnswer):
            return claim
        try:
            return await handler(query, caller, deadline, claim)
        except BaseException:  # also when the caller disconnects
            self._release_claim(claim, caller)
            raise

    async def _acquire_claim(
        self, operation: str, query: Query, caller: Caller, deadline: Deadline
    ) -> Claim | EarlierAnswer | None:
        """Return a claim on the caller's Idempotency-Key, or the answer stored under it; None without a key."""
        if query.idempotency_key is None:
            return None
        pending_claim = self.keys.acquire(query.idempotency_key, operation, query, caller)
        return await deadline.wait_for(pending_claim, "the Idempotency-Key was looked up")

    def _release_claim(self, claim: Claim | None, caller: Caller) -> None:
        if claim is not None:
            self.keys.release(claim, caller)

    async def _stream_events(
        self, query: Query, caller: Caller, deadline: Deadline, claim: Claim | None
    ) -> AsyncGenerator[AnswerEvent, None]:
        stopwatch = Stopwatch()
        parsed = _ParsedQuery(query, parse_message(query.incoming()))
        stopwatch.lap("parse")
        (understood,) = await self._understand_many([parsed], caller, deadline, stopwatch)
        masked, draft = understood.masked.own, understood.draft
        yield PreliminaryAnswer(restore_originals(dataclasses.replace(draft, timings_ms=stopwatch.laps()), masked))
        request = ReplyRequest(
            tenant=caller.tenant,
            text=masked,
            understanding=understood.understanding,
            decision=draft.decision,
            tier=query.customer_tier,
            language=query.language,
            contacts=summarize_contacts(understood.history or EMPTY_HISTORY),
            model_version=draft.model_version,
            fresh=query.fresh,
        )
        async with aclosing(self.writer.write(request, deadline)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Sentence):
                    yield Sentence(masked.restore(piece.text))
                else:
                    written_reply = piece
        stopwatch.lap("reply")
        draft = dataclasses.replace(
            draft,
            reply=written_reply.reply,
            decision=written_reply.decision,
            skipped=(*draft.skipped, *written_reply.skipped),
            timings_ms=stopwatch.laps(),
        )
        answer = await self._store_record(
            understood, draft, caller, claim=claim, stopwatch=stopwatch, deadline=deadline
        )
        self._observe_answer(answer, stopwatch)
        yield FinalAnswer(answer)

    async def _understand(self, query: Query, caller: Caller, deadline: Deadline, claim: Claim | None) -> Answer:
        (answer,) = await self.understand_batch([query], caller, deadline, claim)
        if isinstance(answer, FrontdeskError):
            raise answer
        return answer

    async def understand_batch(
        self, queries: Sequence[Query], caller: Caller, deadline: Deadline, claim: Claim | None = None
    ) -> list[Answer | FrontdeskError]:
        """Understand several messages in one model call. Return an answer or an error for each, in order.

        `claim` is for a single query only: an Idempotency-Key stands for one answer.
        """
        stopwatch = Stopwatch()
        parsed = await self._parse_many(queries, deadline)
        stopwatch.lap("parse")
        valid = [item for item in parsed if isinstance(item, _ParsedQuery)]
        understood = await self._understand_many(valid, caller, deadline, stopwatch) if valid else []
        laps = stopwatch.laps()
        outcomes = await _gather(
            self._store_record(
                message,
                dataclasses.replace(message.draft, timings_ms=dict(laps)),
                caller,
                claim=claim,
                stopwatch=stopwatch,
                deadline=deadline,
            )
            for message in understood
        )
        remaining = iter(outcomes)
        outcomes = [next(remaining) if isinstance(item, _ParsedQuery) else item for item in parsed]
        if len(queries) == 1:
            return [self._observe_outcome(outcomes[0], stopwatch)]
        observe_deadline = Deadline.after(OBSERVE_TIMEOUT_S)  # stored answers are returned even after the deadline
        return await self.time_slicer.run_each(
            lambda item: self._observe_outcome(item, stopwatch), outcomes, observe_deadline, "the answers were counted"
        )

    async def _parse_many(self, queries: Sequence[Query], deadline: Deadline) -> list[_ParsedQuery | FrontdeskError]:
        """Parse each message. Return an error for a message if it has no text or its own text is too long."""
        if len(queries) == 1:
            return [_parse_or_error(queries[0])]
        return await self.time_slicer.run_each(_parse_or_error, queries, deadline, PARSING)

    async def _understand_many(
        self, parsed: Sequence[_ParsedQuery], caller: Caller, deadline: Deadline, stopwatch: Stopwatch
    ) -> list[_UnderstoodMessage]:
        """Mask, understand and decide, with one model call. Long work for a batch runs in time slices."""
        champion = self.champion
        queries, messages = [item.query for item in parsed], [item.message for item in parsed]
        if len(messages) == 1:
            masked = [await self._mask(messages[0], deadline)]
        else:
            champion.check_batch([len(message.own) for message in messages], deadline)
            masked = await self.time_slicer.run(chain_steps(self.mask_steps, messages), deadline, MASKING)
        stopwatch.lap("mask")
        fresh = any(query.fresh for query in queries)
        prediction = champion.understand([item.own for item in masked], deadline, tenant=caller.tenant, fresh=fresh)
        understandings = await deadline.wait_for(prediction, PREDICTING)
        stopwatch.lap("models")
        histories = await self._load_histories(queries, caller, stopwatch)
        inputs = list(zip(queries, masked, understandings, histories, strict=True))
        if len(inputs) == 1:
            drafts = [self.apply_policy(champion, *inputs[0])]
        else:
            drafts = await self.time_slicer.run_each(
                lambda arguments: self.apply_policy(champion, *arguments), inputs, deadline, DECIDING
            )
        stopwatch.lap("decide")
        return [_UnderstoodMessage(*arguments, draft) for arguments, draft in zip(inputs, drafts, strict=True)]

    async def _mask(self, message: Message, deadline: Deadline) -> MaskedMessage:
        if len(message.source) < MIN_SLICED_CHARACTERS:
            return run_steps(self.mask_steps(message))
        return await self.time_slicer.run(self.mask_steps(message), deadline, MASKING)

    def apply_policy(
        self,
        champion: Champion,
        query: Query,
        masked: MaskedMessage,
        understanding: Understanding,
        history: CustomerHistory | None,
    ) -> Answer:
        """Apply the team's policy to the output of the models. Pure except for the clock and the new id.

        A message that is no request, such as an automated mail, has no intent, and its text adds no points.

        A history that is unavailable (None) adds no points. It prevents automation only if its points could have made
        the message urgent, because the certified thresholds depend on the models and not on the history.
        """
        message, text, now = masked.message, masked.own, datetime.now(UTC)
        urgency = champion.taxonomy.policy(understanding.intent.label).urgency
        inputs = select_policy_inputs(message.act, understanding, text, urgency)
        understanding = inputs.understanding
        priority = self.priority.score(query, inputs.text, understanding, inputs.urgency, now, history or EMPTY_HISTORY)
        skipped = understanding.skipped
        if history is None:
            skipped = (*skipped, CUSTOMER_HISTORY)
            if self.priority.history_could_make_urgent(priority):
                understanding = dataclasses.replace(understanding, skipped=skipped)
        decision = decide(understanding, champion.taxonomy, priority, self.max_plausible_to_clarify, message.act)
        own_text = text.neutralize(text.text)
        if "[ORDER_" not in own_text and masked.subject:
            own_text = f"{own_text}\n{masked.subject}"  # "Order 48213" above "Where is it?"
        actions = fill_slots(decision.suggested_actions, own_text, champion.taxonomy.needs)
        decision = dataclasses.replace(decision, actions=actions)
        is_escalated = decision.action is Action.ESCALATE
        contacts = summarize_contacts(history or EMPTY_HISTORY)
        handoff = (
            summarize_handoff(understanding, decision, priority, champion.taxonomy, contacts, text=own_text)
            if is_escalated
            else None
        )
        return Answer(
            query_id=uuid7(),
            intent=understanding.intent,
            sentiment=understanding.sentiment,
            priority=priority,
            uncertainty=understanding.uncertainty,
            decision=decision,
            members=understanding.members,
            model_version=champion.version,
            skipped=skipped,
            timings_ms={},
            hand_off=handoff,
            act=message.act,
            message=message.summarize(),
        )

    async def _load_histories(
        self, queries: Sequence[Query], caller: Caller, stopwatch: Stopwatch
    ) -> list[CustomerHistory | None]:
        """Return the history of each message's customer: empty without a customer id, None if it is unavailable."""
        customer_ids = {query.customer_id for query in queries if query.customer_id is not None}
        if not customer_ids:
            return [EMPTY_HISTORY] * len(queries)
        histories = await self.customers.load_histories(caller.tenant, customer_ids, datetime.now(UTC))
        stopwatch.lap("history")
        if histories is None:
            return [EMPTY_HISTORY if query.customer_id is None else None for query in queries]
        return [
            histories.get(query.customer_id, EMPTY_HISTORY) if query.customer_id else EMPTY_HISTORY for query in queries
        ]

    async def _store_record(
        self,
        understood: _UnderstoodMessage,
        draft: Answer,
        caller: Caller,
        *,
        claim: Claim | None,
        stopwatch: Stopwatch,
        deadline: Deadline,
    ) -> Answer:
        """Store the masked draft, and return the answer for the caller.

        The timings of the answer end here, without the time for storing it: the answer that is stored under an
        Idempotency-Key must equal the returned one byte for byte.
        """
        query, masked = understood.query, understood.masked
        other_parts: tuple[MaskedPart, ...] = ()
        if query.store and masked.message.other_parts:
            other_parts = await self.time_slicer.run(mask_other_parts_steps(masked), deadline, MASKING)
        now = datetime.now(UTC)
        received_at = now - timedelta(seconds=deadline.elapsed_s())
        record = Record(
            caller, query, masked.own, draft, now, stopwatch.elapsed_ms(), claim, received_at, other_parts=other_parts
        )
        stored = "no"
        if query.store or claim is not None:
            status = await deadline.wait_for(self.recorder.store(record), "the answer was being stored")
            stopwatch.lap("record")
            stored = status if query.store else stored
        return record.answer_for_caller(stored)

    def _observe_outcome(self, outcome: Answer | BaseException, stopwatch: Stopwatch) -> Answer | FrontdeskError:
        """Report a stored answer to the metrics and return it. Return a `FrontdeskError`, raise other exceptions."""
        if isinstance(outcome, FrontdeskError):
            return outcome
        if isinstance(outcome, BaseException):
            raise outcome
        self._observe_answer(outcome, stopwatch)
        return outcome

    def _observe_answer(self, answer: Answer, stopwatch: Stopwatch) -> None:
        """Report an answer to the metrics, together with the time for storing it."""
        self.observe(dataclasses.replace(answer, timings_ms=stopwatch.laps()))


@dataclass(frozen=True, slots=True)
class _ParsedQuery:
    """A query and its message, split into parts."""

    query: Query
    message: Message


@dataclass(frozen=True, slots=True)
class _UnderstoodMessage:
    """One message after the models, with the draft of its answer, still without reply and timings."""

    query: Query
    masked: MaskedMessage
    understanding: Understanding
    history: CustomerHistory | None
    draft: Answer


def _parse_or_error(query: Query) -> _ParsedQuery | FrontdeskError:
    try:
        return _ParsedQuery(query, parse_message(query.incoming()))
    except FrontdeskError as error:
        return error


Handler = Callable[[Query, Caller, Deadline, Claim | None], Awaitable[Answer]]


async def _gather(coroutines: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer | BaseException]:
    """Return all results in order. Start `RECORDS_PER_PASS` in each pass of the loop; cancel all if cancelled."""
    tasks: list[asyncio.Task[Answer]] = []
    try:
        for coroutine in coroutines:
            tasks.append(asyncio.ensure_future(coroutine))
            if len(tasks) % RECORDS_PER_PASS == 0:
                await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


class Stopwatch:
    """Milliseconds per stage of one request, by the monotonic clock."""

    __slots__ = ("_laps", "_last", "_start")

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = round((now - self._last) * 1000, 3)
        self._last = now

    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._start) * 1000, 3)

    def laps(self) -> dict[str, float]:
        return {**self._laps, "total": self.elapsed_ms()}
