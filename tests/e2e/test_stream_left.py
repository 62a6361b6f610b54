"""A client that goes away in the middle of a stream: the language model's server is let go too, and nothing is kept."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.support.faulty_llm import FaultyServer, faulty_server, until
from tests.support.serving import Server

TEXT = "How long does delivery take?"


def _leave_while_it_writes(server: Server, upstream: FaultyServer) -> None:
    with (
        server.client() as client,
        client.stream("POST", "/v1/queries/stream", json={"text": TEXT}) as response,
    ):
        lines = response.iter_lines()  # held: a generator that is dropped closes the connection
        assert next(lines) == "event: understanding"
        give_up = time.monotonic() + 5.0
        while upstream.open == 0 or not upstream.sent:
            assert time.monotonic() < give_up, "the language model was not asked"
            time.sleep(0.01)


async def test_who_leaves_stops_the_generation_and_nothing_is_kept(home: Path) -> None:
    async with faulty_server("hang after text") as upstream:
        settings = {
            "responses__provider": "openai",
            "llm__base_url": upstream.base_url,
            "llm__model": "m",
            "llm__stall_timeout_s": 8.0,
            "llm__timeout_s": 9.0,
        }
        server = Server(home, workers=1, **settings)
        await asyncio.to_thread(server.__enter__)
        try:
            await asyncio.to_thread(_leave_while_it_writes, server, upstream)
            left = time.monotonic()
            await until(lambda: upstream.open == 0, 5.0)
            assert time.monotonic() - left < 2.0, "it went on until it stalled"
            assert server.count() == 0
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
