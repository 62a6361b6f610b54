"""Contact history of customers in Redis: sorted sets by time, whose members hold all fields of an event.

Adding an event twice has no effect, so events may arrive more than once. Each set keeps the newest members, twice as
many as the features count, for as long as they count. A marker key says that the sets are complete. Without it, as in a
Redis that has lost its data, no history is returned until the sets are rebuilt from the database.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis
from redis.client import Pipeline

from frontdesk.features.customer_history import (
    CONTACT_WINDOW,
    DAY,
    MAX_INTERACTIONS,
    RATING_WINDOW,
    AnswerRating,
    CustomerContact,
    CustomerHistory,
    compute_history,
)
from frontdesk.storage.redis.optional_redis import OptionalRedis

PREFIX = "frontdesk:customers:"
COMPLETE_KEY = f"{PREFIX}whole"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RedisCustomerHistory:
    """Reads histories for one worker. `redis` may be shared with other parts."""

    def __init__(self, redis: OptionalRedis) -> None:
        self._redis = redis

    async def load_histories(
        self, tenant: str, customer_ids: Collection[str], at: datetime
    ) -> Mapping[str, CustomerHistory] | None:
        """Return each customer's history before `at`; None if Redis does not respond in time, or has lost its data."""
        ids = list(customer_ids)
        results = await self._redis.run(lambda client: _query(client, tenant, ids, at))
        if results is None:
            return None
        is_complete, *facts = results
        if not is_complete:
            return None
        return {customer: _history(facts[3 * index : 3 * index + 3], at) for index, customer in enumerate(ids)}


def _query(client: Redis, tenant: str, customers: Sequence[str], at: datetime) -> Awaitable[list[Any]]:
    """Read the marker, and the contacts, ratings and first contact of each customer, in one round trip."""
    pipe = client.pipeline(transaction=False)
    pipe.exists(COMPLETE_KEY)
    for customer in customers:
        for kind, window in (("contacts", CONTACT_WINDOW), ("ratings", RATING_WINDOW)):
            key, before = _key(tenant, customer, kind), f"({_to_score(at)}"
            pipe.zrevrangebyscore(key, before, _to_score(at - window), start=0, num=MAX_INTERACTIONS, withscores=True)
        pipe.zscore(_first_contact_key(tenant), customer)
    return pipe.execute()


def _history(facts: Sequence[Any], at: datetime) -> CustomerHistory:
    contacts, ratings, first = facts
    return compute_history(
        (CustomerContact(row_id, _to_datetime(score), *labels) for (row_id, *labels), score in _decode(contacts)),
        (AnswerRating(row_id, _to_datetime(score), satisfaction) for (row_id, satisfaction), score in _decode(ratings)),
        None if first is None else _to_datetime(first),
        at,
    )


def _decode(members: Iterable[tuple[bytes, float]]) -> Iterable[tuple[list[Any], float]]:
    return ((json.loads(member), score) for member, score in members)


def put_contacts(
    pipe: Pipeline, tenant: str, customer_id: str, first: datetime, contacts: Collection[CustomerContact]
) -> None:
    """Add contacts of one customer, at least one; `first` is the time of the earliest known contact."""
    members = {
        _member(contact.id, contact.intent, contact.sentiment, contact.escalated): _to_score(contact.at)
        for contact in contacts
    }
    _add(pipe, _key(tenant, customer_id, "contacts"), members, CONTACT_WINDOW)
    pipe.zadd(_first_contact_key(tenant), {customer_id: _to_score(first)}, lt=True)


def put_ratings(pipe: Pipeline, tenant: str, customer_id: str, ratings: Collection[AnswerRating]) -> None:
    """Add ratings of one customer, at least one."""
    members = {_member(rating.id, rating.satisfaction): _to_score(rating.at) for rating in ratings}
    _add(pipe, _key(tenant, customer_id, "ratings"), members, RATING_WINDOW)


def remove_ratings(pipe: Pipeline, tenant: str, customer_id: str, ratings: Collection[tuple[str, int]]) -> None:
    """Remove ratings of one customer, by id and satisfaction; `ratings` must not be empty."""
    members = (_member(row_id, satisfaction) for row_id, satisfaction in ratings)
    pipe.zrem(_key(tenant, customer_id, "ratings"), *members)


def delete_customer(pipe: Pipeline, tenant: str, customer_id: str) -> None:
    """Delete all data of a customer."""
    pipe.unlink(_key(tenant, customer_id, "contacts"), _key(tenant, customer_id, "ratings"))
    pipe.zrem(_first_contact_key(tenant), customer_id)


def _add(pipe: Pipeline, key: str, members: Mapping[str, int], window: timedelta) -> None:
    pipe.zadd(key, dict(members))
    pipe.zremrangebyrank(key, 0, -2 * MAX_INTERACTIONS - 1)
    pipe.expire(key, window + DAY)


def _member(*values: Any) -> str:
    """Encode a member. The id comes first, so equal scores are sorted by id, like rows with equal times."""
    return json.dumps(values, separators=(",", ":"))


def _key(tenant: str, customer_id: str, kind: str) -> str:
    return f"{PREFIX}{quote(tenant, safe='')}:{quote(customer_id, safe='')}:{kind}"


def _first_contact_key(tenant: str) -> str:
    return f"{PREFIX}{quote(tenant, safe='')}:since"


def _to_score(at: datetime) -> int:
    """Return microseconds since 1970: below 2^53, so exact in Redis, where scores are floats."""
    return (at - _EPOCH) // _MICROSECOND


def _to_datetime(score: float) -> datetime:
    return _EPOCH + int(score) * _MICROSECOND
