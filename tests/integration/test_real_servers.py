"""The servers that other tests stand on: they start as any user, and survive what fault tests do to them."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import psycopg2
import pytest
import redis
from sqlalchemy import text

from frontdesk.storage.database import begin_reading, open_database
from tests.support.postgresql import PostgreSql
from tests.support.redis_server import RedisServer

FROZEN_S = 0.5


def test_postgresql_keeps_what_was_committed_through_a_kill(postgresql: PostgreSql, postgresql_url: str) -> None:
    engine = open_database(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 7 AS n"))
    postgresql.kill()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(postgresql_url.replace("+psycopg2", ""))
    postgresql.start()
    with begin_reading(engine) as connection:
        assert connection.scalar(text("SELECT n FROM kept")) == 7
    engine.dispose()


def test_a_frozen_postgresql_says_nothing_until_it_goes_on(postgresql: PostgreSql, postgresql_url: str) -> None:
    engine = open_database(postgresql_url)
    with begin_reading(engine) as connection:
        postgresql.stop()
        threading.Timer(FROZEN_S, postgresql.cont).start()
        request = time.monotonic()
        assert connection.scalar(text("SELECT 7")) == 7
        assert time.monotonic() - request > FROZEN_S / 2
    engine.dispose()


def test_redis_comes_back_empty_on_the_same_port(redis_server: RedisServer) -> None:
    with closing(redis.Redis.from_url(redis_server.url)) as client:
        client.set("kept", "no")
        redis_server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("kept")
        redis_server.start()
        assert client.get("kept") is None


def test_a_frozen_redis_says_nothing(redis_server: RedisServer) -> None:
    if not redis_server.is_real:
        pytest.skip("fakeredis cannot be frozen")
    with closing(redis.Redis.from_url(redis_server.url, socket_timeout=0.1, retry=None)) as client:
        redis_server.stop()
        try:
            with pytest.raises(redis.TimeoutError):
                client.ping()
        finally:
            redis_server.cont()
        assert client.ping()
