"""The checker of histories: handwritten histories with one violation each, which it must report and no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from tests.faults.history import TOKEN_LETTERS, Acknowledgement, Event, Request, StoredState, Verdict, check

WRONG = ("lost", "doubled", "phantom", "differing", "disordered")


def token(name: str) -> str:
    return name.ljust(TOKEN_LETTERS, "x")


def acknowledgement(query_id: str, stored: str = "committed", body: bytes | None = None) -> Acknowledgement:
    return Acknowledgement(query_id, stored, body or query_id.encode())


def request(name: str, *answers: Acknowledgement, customer: str = "maria", key: str | None = None) -> Request:
    return Request(token(name), customer, key, answers)


REQUESTS = (
    request("apple", acknowledgement("1")),
    request("birch", acknowledgement("2"), customer="omar"),
    request("cedar", acknowledgement("3", "spooled"), acknowledgement("3", "spooled"), key="c"),
    request("dogwood"),
)
STATE = StoredState(
    queries={f"{number}": f"Where is {token(name)}?" for number, name in enumerate(("apple", "birch", "cedar"), 1)},
    history=("1", "2", "3"),
    events=(Event("e1", "1"), Event("e2", "2"), Event("e3", "3")),
    undelivered=0,
)


def state_with(**changes: Any) -> StoredState:
    return dataclasses.replace(STATE, **changes)


def with_row(query_id: str, text: str) -> StoredState:
    """Return the state with one more row of `queries`, its history row and its event."""
    return state_with(
        queries={**STATE.queries, query_id: text},
        history=(*STATE.history, query_id),
        events=(*STATE.events, Event(f"e{query_id}", query_id)),
    )


def only_wrong(verdict: Verdict) -> dict[str, Sequence[str]]:
    assert not verdict.is_clean
    return {name: getattr(verdict, name) for name in WRONG if getattr(verdict, name)}


def test_a_correct_history_is_clean_and_counted() -> None:
    verdict = check(REQUESTS, STATE)
    assert verdict.is_clean
    assert (verdict.acknowledged, verdict.unacknowledged, verdict.spooled, verdict.replays) == (3, 1, 1, 1)


def test_an_unacknowledged_request_may_be_stored_once() -> None:
    assert check(REQUESTS, with_row("4", f"Where is {token('dogwood')}?")).is_clean


def test_an_event_may_be_delivered_again() -> None:
    verdict = check(REQUESTS, state_with(events=(*STATE.events, *STATE.events[:2])))
    assert verdict.is_clean
    assert verdict.redelivered == 2


def test_without_a_sink_no_event_is_missed() -> None:
    assert check(REQUESTS, state_with(events=None)).is_clean


@pytest.mark.parametrize(
    ("state", "lost"),
    [
        (state_with(queries={"1": STATE.queries["1"], "3": STATE.queries["3"]}, history=("1", "3")), "queries 2"),
        (state_with(history=("1", "3")), "customer_history 2"),
        (state_with(events=(STATE.events[0], STATE.events[2])), "sink 2"),
    ],
)
def test_a_lost_answer_is_found_wherever_it_is_missing(state: StoredState, lost: str) -> None:
    assert lost in check(REQUESTS, state).lost


def test_a_lost_answer_is_found_even_where_its_request_left_another_row() -> None:
    """The client got the id 2, but the database has a row 9 for the request."""
    rows = {"1": STATE.queries["1"], "9": STATE.queries["2"], "3": STATE.queries["3"]}
    verdict = check(REQUESTS, state_with(queries=rows, history=("1", "9", "3"), events=None))
    assert verdict.lost == ("queries 2", "customer_history 2")
    assert verdict.differing == (f"id of {token('birch')}: told 2, kept 9",)


@pytest.mark.parametrize("name", ["apple", "cedar"])
def test_a_doubled_row_is_found(name: str) -> None:
    doubled = only_wrong(check(REQUESTS, with_row("4", f"Where is {token(name)}?")))
    assert list(doubled) == ["doubled"]


def test_an_unacknowledged_request_may_not_be_stored_twice() -> None:
    once = with_row("4", f"Where is {token('dogwood')}?")
    twice = dataclasses.replace(
        once,
        queries={**once.queries, "5": once.queries["4"]},
        history=(*once.history, "5"),
        events=(*(once.events or ()), Event("e5", "5")),
    )
    assert list(only_wrong(check(REQUESTS, twice))) == ["doubled"]


def test_a_doubled_history_row_is_found() -> None:
    assert only_wrong(check(REQUESTS, state_with(history=("1", "2", "3", "3")))) == {"doubled": ("customer_history 3",)}


def test_two_events_of_one_row_are_not_a_redelivery() -> None:
    events = (*STATE.events, Event("e4", "3"))
    assert only_wrong(check(REQUESTS, state_with(events=events))) == {"doubled": ("events of 3: e3, e4",)}


@pytest.mark.parametrize("text", [f"Where is {token('never')}?", "Where is my parcel?", ""])
def test_a_row_without_a_request_is_a_phantom(text: str) -> None:
    assert only_wrong(check(REQUESTS, with_row("4", text))) == {"phantom": ("queries 4",)}


def test_a_history_row_or_an_event_without_a_row_is_a_phantom() -> None:
    verdict = check(REQUESTS, state_with(history=("1", "2", "3", "8"), events=(*STATE.events, Event("e9", "9"))))
    assert only_wrong(verdict) == {"phantom": ("customer_history 8", "event e9")}


@pytest.mark.parametrize("again", [acknowledgement("3", body=b"3 "), acknowledgement("9", body=b"9")])
def test_a_replay_that_differs_by_a_byte_is_found(again: Acknowledgement) -> None:
    requests = (*REQUESTS[:2], request("cedar", acknowledgement("3"), again, key="c"))
    assert only_wrong(check(requests, STATE)) == {"differing": (f"answers to {token('cedar')}",)}


def test_an_event_that_overtook_an_earlier_one_of_its_customer_is_found() -> None:
    """Maria's third message reached the sink before her first. The order of Omar's events does not matter."""
    events = (STATE.events[2], STATE.events[1], STATE.events[0])
    disordered = only_wrong(check(REQUESTS, state_with(events=events)))
    assert disordered == {"disordered": (f"event of {token('cedar')}, customer maria",)}
    assert check(REQUESTS, state_with(events=(STATE.events[1], STATE.events[0], STATE.events[2]))).is_clean


def test_what_is_left_in_the_spool_is_not_clean() -> None:
    assert not check(REQUESTS, state_with(undelivered=1)).is_clean
