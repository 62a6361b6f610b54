"""Check of one run, in the manner of Jepsen: responses to the clients against the stored data.

A client writes a unique word, the token, into every message. The token survives masking, so every row in the database
can be matched to a request. Pure functions, without servers and databases.

Allowed: an unacknowledged request may be stored once or not at all; an event may be delivered again. Not allowed, each
a list of the verdict:

    lost         acknowledged, but missing: no row of `queries`, none of `customer_history`, or never at the sink
    doubled      stored more than once: two rows for one request, or two events for one row
    phantom      stored without a request: a row without a known token; history or an event without a row
    differing    different responses: two answers to one key with different bytes, or another id than the row has
    disordered   a customer's event that reached the sink before one of a message that was acknowledged earlier
    left behind  still in the spool or the outbox when the load had ended
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

TOKEN_LETTERS = 24
_TOKEN = re.compile(rf"\b[a-z]{{{TOKEN_LETTERS}}}\b")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One answer with status 200, byte for byte."""

    query_id: str
    stored: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One request as its client sees it. With a key it may have been sent, and answered, several times."""

    token: str
    customer_id: str
    key: str | None
    answers: tuple[Acknowledgement, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a sink; a line that is delivered again has the same `event_id`."""

    event_id: str
    query_id: str


@dataclass(frozen=True, slots=True)
class StoredState:
    """Stored data after the load has ended. `events` are in the order of arrival, None if no sink is configured."""

    queries: Mapping[str, str]  # id -> masked text
    history: Sequence[str]  # the ids of their queries
    events: Sequence[Event] | None
    undelivered: int  # rows in the spool and the outbox


@dataclass(frozen=True, slots=True)
class Verdict:
    """Violations by kind; all are empty if the guarantee was kept."""

    acknowledged: int
    unacknowledged: int  # sent, never answered with 200
    spooled: int  # of those acknowledged
    replays: int  # answers beyond the first of a request
    redelivered: int  # lines of the sink beyond the first of an event
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    phantom: tuple[str, ...]
    differing: tuple[str, ...]
    disordered: tuple[str, ...]
    undelivered: int

    @property
    def is_clean(self) -> bool:
        wrong = (self.lost, self.doubled, self.phantom, self.differing, self.disordered)
        return not any(wrong) and self.undelivered == 0


def check(requests: Sequence[Request], state: StoredState) -> Verdict:
    """Return the verdict on a run. `requests` of each customer are in the order in which they were sent."""
    rows: dict[str, list[str]] = defaultdict(list)
    sent = {request.token for request in requests}
    phantom = []
    for query_id, text in state.queries.items():
        token = _token(text)
        if token in sent:
            rows[token].append(query_id)
        else:
            phantom.append(f"queries {query_id}")
    acknowledged = [request for request in requests if request.answers]
    return Verdict(
        acknowledged=len(acknowledged),
        unacknowledged=len(requests) - len(acknowledged),
        spooled=sum(request.answers[0].stored == "spooled" for request in acknowledged),
        replays=sum(len(request.answers) - 1 for request in acknowledged),
        redelivered=_redelivered(state.events or ()),
        lost=tuple(_lost(acknowledged, state)),
        doubled=tuple(_doubled(rows, state)),
        phantom=(*phantom, *_without_row(state)),
        differing=tuple(_differing(acknowledged, rows)),
        disordered=tuple(_disordered(acknowledged, state.events or ())),
        undelivered=state.undelivered,
    )


def _token(text: str) -> str:
    match = _TOKEN.search(text)
    return match.group() if match else ""


def _lost(acknowledged: Iterable[Request], state: StoredState) -> Iterator[str]:
    history = set(state.history)
    delivered = {event.query_id for event in state.events or ()}
    for request in acknowledged:
        query_id = request.answers[0].query_id
        if query_id not in state.queries:
            yield f"queries {query_id}"
        if query_id not in history:
            yield f"customer_history {query_id}"
        if state.events is not None and query_id not in delivered:
            yield f"sink {query_id}"


def _doubled(rows: Mapping[str, Sequence[str]], state: StoredState) -> Iterator[str]:
    for token, ids in rows.items():
        if len(ids) > 1:
            yield f"queries {token}: {', '.join(ids)}"
    for query_id, times in Counter(state.history).items():
        if times > 1:
            yield f"customer_history {query_id}"
    events: dict[str, set[str]] = defaultdict(set)
    for event in state.events or ():
        events[event.query_id].add(event.event_id)
    for query_id, ids in events.items():
        if len(ids) > 1:
            yield f"events of {query_id}: {', '.join(sorted(ids))}"


def _without_row(state: StoredState) -> Iterator[str]:
    yield from (f"customer_history {query_id}" for query_id in state.history if query_id not in state.queries)
    yield from (f"event {event.event_id}" for event in state.events or () if event.query_id not in state.queries)


def _differing(acknowledged: Iterable[Request], rows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for request in acknowledged:
        first, *others = request.answers
        if any(other.body != first.body for other in others):
            yield f"answers to {request.token}"
        if request.token in rows and first.query_id not in rows[request.token]:
            yield f"id of {request.token}: told {first.query_id}, kept {', '.join(rows[request.token])}"


def _redelivered(events: Sequence[Event]) -> int:
    return len(events) - len({event.event_id for event in events})


def _disordered(acknowledged: Iterable[Request], events: Sequence[Event]) -> Iterator[str]:
    """Compare the first deliveries: an event that is delivered again after a crash may arrive late."""
    place: dict[str, int] = {}
    for number, event in enumerate(events):
        place.setdefault(event.query_id, number)
    latest: dict[str, int] = defaultdict(lambda: -1)
    for request in acknowledged:
        number = place.get(request.answers[0].query_id)
        if number is None:
            continue
        if number < latest[request.customer_id]:
            yield f"event of {request.token}, customer {request.customer_id}"
        latest[request.customer_id] = max(latest[request.customer_id], number)
