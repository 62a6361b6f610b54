from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence

import pytest

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.server.cached import Cached, CacheOutcome
from tests.support.fakes import understanding


class Models:
    """The inner layer: understands texts, records them, can be blocked, and fails for "bad"."""

    def __init__(self) -> None:
        self.read_texts: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.skipped: tuple[str, ...] = ()
        self.deadlines: list[Deadline] = []
        self.is_closed = False

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> list[Understanding]:
        self.read_texts += [text.text for text in texts]
        self.deadlines.append(deadline)
        await self.free.wait()
        if any(text.text == "bad" for text in texts):
            raise ValueError("bad")
        return [dataclasses.replace(understanding(label=text.text), skipped=self.skipped) for text in texts]

    async def close(self) -> None:
        self.is_closed = True


DEADLINE = Deadline.after(60)


def masked(*texts: str) -> list[MaskedText]:
    return [MaskedText(text) for text in texts]


async def ask(cache: Cached, *texts: str, tenant: str = "acme", fresh: bool = False) -> list[str]:
    results = await cache.understand(masked(*texts), DEADLINE, tenant=tenant, fresh=fresh)
    return [result.intent.label for result in results]


async def test_a_text_is_evaluated_once() -> None:
    models = Models()
    cache = Cached(models, 10)
    assert await ask(cache, "a") == await ask(cache, "a") == ["a"]
    assert models.read_texts == ["a"]


async def test_results_are_in_the_order_of_the_texts_with_and_without_cache_hits() -> None:
    models = Models()
    cache = Cached(models, 10)
    await ask(cache, "b")
    assert await ask(cache, "a", "b", "a", "c") == ["a", "b", "a", "c"]
    assert models.read_texts == ["b", "a", "c"]


async def test_a_text_of_another_tenant_is_evaluated_again() -> None:
    """Tenant names that could be confused with a part of the text make no difference."""
    models = Models()
    cache = Cached(models, 10)
    await ask(cache, "a", tenant="acme")
    await ask(cache, "a", tenant="other")
    await ask(cache, "1:a", tenant="")
    await ask(cache, "a", tenant="0:1")
    assert models.read_texts == ["a", "a", "1:a", "a"]


async def test_tenants_do_not_share_a_running_evaluation() -> None:
    """A shared evaluation would return sooner than a new one, and would reveal the text of the other tenant."""
    models = Models()
    cache = Cached(models, 10)
    models.free.clear()
    asking = [asyncio.create_task(ask(cache, "a", tenant=tenant)) for tenant in ("acme", "other", "acme")]
    await asyncio.sleep(0.01)
    models.free.set()
    await asyncio.gather(*asking)
    assert models.read_texts == ["a", "a"]


async def test_the_least_recently_used_text_is_evicted_first() -> None:
    models = Models()
    cache = Cached(models, 2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await ask(cache, text)
    assert models.read_texts == ["a", "b", "c", "b"]
    assert len(cache) == 2


async def test_concurrent_calls_share_one_evaluation() -> None:
    outcomes: Counter[CacheOutcome] = Counter()
    models = Models()
    cache = Cached(models, 10, lambda outcome: outcomes.update([outcome]))
    models.free.clear()
    asking = [asyncio.create_task(ask(cache, "a")) for _ in range(5)]
    await asyncio.sleep(0)
    models.free.set()
    assert await asyncio.gather(*asking) == [["a"]] * 5
    await ask(cache, "a")
    assert models.read_texts == ["a"]
    assert outcomes == {CacheOutcome.MISS: 1, CacheOutcome.JOINED: 4, CacheOutcome.HIT: 1}


async def test_if_the_first_caller_is_cancelled_the_next_evaluates_the_text() -> None:
    models = Models()
    cache = Cached(models, 10)
    models.free.clear()
    first = asyncio.create_task(ask(cache, "a"))
    await asyncio.sleep(0)
    second = asyncio.create_task(ask(cache, "a"))
    await asyncio.sleep(0)
    first.cancel()
    models.free.set()
    assert await second == ["a"]
    assert models.read_texts == ["a", "a"]


async def test_an_error_is_not_cached_and_is_raised_in_its_caller() -> None:
    models = Models()
    cache = Cached(models, 10)
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            await ask(cache, "bad")
    assert models.read_texts == ["bad", "bad"]


async def test_understandings_of_a_fallback_ensemble_are_not_cached() -> None:
    models = Models()
    cache = Cached(models, 10)
    models.skipped = ("encoders",)
    await ask(cache, "a")
    models.skipped = ()
    await ask(cache, "a")
    assert models.read_texts == ["a", "a"]


async def test_even_a_cache_smaller_than_a_call_answers_all_of_it() -> None:
    models = Models()
    cache = Cached(models, 1)
    assert await ask(cache, "a", "b", "c") == ["a", "b", "c"]
    assert len(cache) == 1


async def test_two_calls_that_wait_for_each_others_texts_both_end() -> None:
    models = Models()
    cache = Cached(models, 10)
    models.free.clear()
    calls = [asyncio.create_task(ask(cache, *texts)) for texts in (("a", "b"), ("b", "c"), ("c", "a"))]
    await asyncio.sleep(0.01)
    models.free.set()
    assert await asyncio.wait_for(asyncio.gather(*calls), 2) == [["a", "b"], ["b", "c"], ["c", "a"]]
    assert sorted(models.read_texts) == ["a", "b", "c"]


async def test_a_fresh_answer_is_evaluated_again_and_not_counted() -> None:
    models, outcomes = Models(), list[CacheOutcome]()
    cache = Cached(models, 10, outcomes.append)
    await ask(cache, "a")
    assert await ask(cache, "a", fresh=True) == ["a"]
    await ask(cache, "a")
    assert models.read_texts == ["a", "a"]
    assert outcomes == [CacheOutcome.MISS, CacheOutcome.HIT]


async def test_without_capacity_nothing_is_cached_or_shared() -> None:
    models, outcomes = Models(), list[CacheOutcome]()
    cache = Cached(models, 0, outcomes.append)
    await asyncio.gather(ask(cache, "a"), ask(cache, "a"))
    assert models.read_texts == ["a", "a"]
    assert (len(cache), outcomes) == (0, [])


async def test_the_inner_layer_gets_the_deadline_and_is_closed() -> None:
    models = Models()
    cache = Cached(models, 10)
    await ask(cache, "a")
    await ask(cache, "b", fresh=True)
    await cache.close()
    assert models.deadlines == [DEADLINE, DEADLINE]
    assert models.is_closed
