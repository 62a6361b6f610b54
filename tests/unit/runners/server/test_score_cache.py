from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence

import pytest

from frontdesk.types import MaskedText, Understanding
from runners.server.score_cache import Outcome, ScoreCache
from tests.support.fakes import understanding


class Models:
    """Reads texts, remembers which, can be held, and fails for "bad"."""

    def __init__(self) -> None:
        self.read_texts: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.skipped: tuple[str, ...] = ()

    async def read(self, texts: Sequence[MaskedText]) -> list[Understanding]:
        self.read_texts += [text.text for text in texts]
        await self.free.wait()
        if any(text.text == "bad" for text in texts):
            raise ValueError("bad")
        return [dataclasses.replace(understanding(label=text.text), skipped=self.skipped) for text in texts]


def masked(*texts: str) -> list[MaskedText]:
    return [MaskedText(text) for text in texts]


async def ask(cache: ScoreCache, models: Models, *texts: str, tenant: str = "acme") -> list[str]:
    return [found.intent.label for found in await cache.understand(tenant, masked(*texts), models.read)]


async def test_a_text_is_read_once() -> None:
    cache, models = ScoreCache(10), Models()
    assert await ask(cache, models, "a") == await ask(cache, models, "a") == ["a"]
    assert models.read_texts == ["a"]


async def test_results_come_in_the_order_of_the_texts_whatever_is_known() -> None:
    cache, models = ScoreCache(10), Models()
    await ask(cache, models, "b")
    assert await ask(cache, models, "a", "b", "a", "c") == ["a", "b", "a", "c"]
    assert models.read_texts == ["b", "a", "c"]


async def test_a_text_of_another_tenant_is_evaluated_again() -> None:
    """Tenant names that could be confused with a part of the text make no difference."""
    cache, models = ScoreCache(10), Models()
    await ask(cache, models, "a", tenant="acme")
    await ask(cache, models, "a", tenant="other")
    await ask(cache, models, "1:a", tenant="")
    await ask(cache, models, "a", tenant="0:1")
    assert models.read_texts == ["a", "a", "1:a", "a"]


async def test_tenants_do_not_share_a_running_evaluation() -> None:
    """A shared evaluation would return sooner than a new one, and so reveal the other tenant's text."""
    cache, models = ScoreCache(10), Models()
    models.free.clear()
    asking = [asyncio.create_task(ask(cache, models, "a", tenant=tenant)) for tenant in ("acme", "other", "acme")]
    await asyncio.sleep(0.01)
    models.free.set()
    await asyncio.gather(*asking)
    assert models.read_texts == ["a", "a"]


async def test_the_longest_unused_text_leaves_first() -> None:
    cache, models = ScoreCache(2), Models()
    for text in ("a", "b", "a", "c", "a", "b"):
        await ask(cache, models, text)
    assert models.read_texts == ["a", "b", "c", "b"]
    assert len(cache) == 2


async def test_those_who_ask_at_once_share_one_reading() -> None:
    seen: Counter[Outcome] = Counter()
    cache, models = ScoreCache(10, lambda outcome: seen.update([outcome])), Models()
    models.free.clear()
    asking = [asyncio.create_task(ask(cache, models, "a")) for _ in range(5)]
    await asyncio.sleep(0)
    models.free.set()
    assert await asyncio.gather(*asking) == [["a"]] * 5
    await ask(cache, models, "a")
    assert models.read_texts == ["a"]
    assert seen == {Outcome.MISS: 1, Outcome.JOINED: 4, Outcome.HIT: 1}


async def test_when_the_first_gives_up_the_next_reads_for_itself() -> None:
    cache, models = ScoreCache(10), Models()
    models.free.clear()
    first = asyncio.create_task(ask(cache, models, "a"))
    await asyncio.sleep(0)
    second = asyncio.create_task(ask(cache, models, "a"))
    await asyncio.sleep(0)
    first.cancel()
    models.free.set()
    assert await second == ["a"]
    assert models.read_texts == ["a", "a"]


async def test_an_error_is_not_remembered_and_reaches_who_caused_it() -> None:
    cache, models = ScoreCache(10), Models()
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            await ask(cache, models, "bad")
    assert models.read_texts == ["bad", "bad"]


async def test_what_was_said_without_a_part_of_the_system_is_not_remembered() -> None:
    cache, models = ScoreCache(10), Models()
    models.skipped = ("encoders",)
    await ask(cache, models, "a")
    models.skipped = ()
    await ask(cache, models, "a")
    assert models.read_texts == ["a", "a"]


async def test_even_a_cache_smaller_than_a_call_answers_all_of_it() -> None:
    cache, models = ScoreCache(1), Models()
    assert await ask(cache, models, "a", "b", "c") == ["a", "b", "c"]
    assert len(cache) == 1


async def test_two_calls_that_wait_for_each_others_texts_both_end() -> None:
    cache, models = ScoreCache(10), Models()
    models.free.clear()
    calls = [asyncio.create_task(ask(cache, models, *texts)) for texts in (("a", "b"), ("b", "c"), ("c", "a"))]
    await asyncio.sleep(0.01)
    models.free.set()
    assert await asyncio.wait_for(asyncio.gather(*calls), 2) == [["a", "b"], ["b", "c"], ["c", "a"]]
    assert sorted(models.read_texts) == ["a", "b", "c"]
