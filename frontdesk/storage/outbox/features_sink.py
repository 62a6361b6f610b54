"""Sink that stores the features of customers in Redis: it adds queries and ratings, idempotently.

A Redis that has lost its data is rebuilt from the database before anything is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import TypeVar

import redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from sqlalchemy import Connection, Engine

from frontdesk.features.customer_history import MAX_INTERACTIONS, AnswerRating, CustomerContact
from frontdesk.storage.database import begin_reading
from frontdesk.storage.events import Event, EventType
from frontdesk.storage.outbox.sinks import SinkUnavailable
from frontdesk.storage.redis.customer_history import (
    COMPLETE_KEY,
    PREFIX,
    delete_customer,
    put_contacts,
    put_ratings,
    remove_ratings,
)
from frontdesk.storage.sql.contacts_and_ratings import all_contacts, all_ratings

TIMEOUT_S = 2.0
CUSTOMERS_PER_BATCH = 200
KEYS_PER_BATCH = 1000

T = TypeVar("T")


class FeaturesSink:
    """Adds events to the Redis at `url`; `engine` is the database. Used by one thread."""

    name = "features"

    def __init__(self, url: str, engine: Engine) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._engine = engine

    def deliver(self, events: Sequence[Event]) -> None:
        try:
            if not self._client.exists(COMPLETE_KEY):
                with begin_reading(self._engine) as connection:
                    rebuild_features(self._client, connection)
            pipe = self._client.pipeline(transaction=False)
            for event in events:
                if event.type == EventType.QUERIES_ERASED and event.customer_id is not None:
                    with begin_reading(self._engine) as connection:
                        _refill(pipe, connection, event.tenant, event.customer_id)
                else:
                    _apply(pipe, event)
            pipe.execute()
        except RedisError as error:
            raise SinkUnavailable(f"Redis is unavailable ({type(error).__name__}).") from None


def rebuild_features(client: redis.Redis, connection: Connection) -> int:
    """Replace all features in Redis by those computed from the database; return the number of customers.

    Readers get no features until it is complete. Rows that are stored meanwhile also arrive as events; duplicates have
    no effect.
    """
    client.delete(COMPLETE_KEY)
    for keys in _in_batches(client.scan_iter(match=f"{PREFIX}*", count=KEYS_PER_BATCH), KEYS_PER_BATCH):
        client.unlink(*keys)
    customers = 0
    for histories in _in_batches(_contacts_by_customer(connection), CUSTOMERS_PER_BATCH):
        pipe = client.pipeline(transaction=False)
        for tenant, customer_id, first, contacts in histories:
            put_contacts(pipe, tenant, customer_id, first, contacts)
        pipe.execute()
        customers += len(histories)
    ratings: dict[tuple[str, str], list[AnswerRating]] = defaultdict(list)
    for stored in all_ratings(connection):
        ratings[stored.tenant, stored.customer_id].append(stored.rating)
    pipe = client.pipeline(transaction=False)
    for owner, ratings_of_customer in ratings.items():
        put_ratings(pipe, *owner, ratings_of_customer[-MAX_INTERACTIONS:])
    pipe.set(COMPLETE_KEY, 1)
    pipe.execute()
    return customers


def _refill(pipe: Pipeline, connection: Connection, tenant: str, customer_id: str) -> None:
    """Replace a customer's features in Redis by those in the database."""
    delete_customer(pipe, tenant, customer_id)
    contacts = [stored.contact for stored in all_contacts(connection, (tenant, customer_id))]
    if contacts:
        put_contacts(pipe, tenant, customer_id, contacts[0].at, contacts[-MAX_INTERACTIONS:])
    ratings = [stored.rating for stored in all_ratings(connection, (tenant, customer_id))]
    if ratings:
        put_ratings(pipe, tenant, customer_id, ratings[-MAX_INTERACTIONS:])


def _contacts_by_customer(connection: Connection) -> Iterator[tuple[str, str, datetime, Sequence[CustomerContact]]]:
    """Yield tenant, customer id, time of the first contact, and newest contacts of each customer."""
    for owner, stored in groupby(
        all_contacts(connection), lambda stored_contact: (stored_contact.tenant, stored_contact.customer_id)
    ):
        contacts = [stored_contact.contact for stored_contact in stored]
        yield *owner, contacts[0].at, contacts[-MAX_INTERACTIONS:]


def _apply(pipe: Pipeline, event: Event) -> None:
    if event.customer_id is None:
        return
    body = event.body()
    if event.type in (EventType.ANSWERED, EventType.UNDERSTOOD):
        labels = (body["intent"], body["sentiment"], body["escalation_needed"])
        contact = CustomerContact(event.event_id, event.created_at, *labels)
        put_contacts(pipe, event.tenant, event.customer_id, contact.at, [contact])
    elif event.type == EventType.ERASED:
        delete_customer(pipe, event.tenant, event.customer_id)
    elif event.type == EventType.FEEDBACK:
        replaced = [(earlier["feedback_id"], earlier["satisfaction"]) for earlier in body.get("replaces", ())]
        if replaced:
            remove_ratings(pipe, event.tenant, event.customer_id, replaced)
        if body["satisfaction"] is not None:
            rating = AnswerRating(event.event_id, event.created_at, body["satisfaction"])
            put_ratings(pipe, event.tenant, event.customer_id, [rating])


def _in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
