from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from frontdesk.config import LlmSettings
from frontdesk.deadline import Deadline
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.client import ChatMessage, FailureReason, LanguageModelUnavailable, OpenAiClient
from frontdesk.responses.llm.factory import build_openai_client
from tests.support.faulty_llm import REPLY_PARTS, FaultyServer, faulty_server, until

PROMPT = (ChatMessage("system", "Answer in one sentence."), ChatMessage("user", "Where is MARKER_PROMPT?"))
ANSWER = "".join(REPLY_PARTS)
DEADLINE_S = 0.6

REASONS = {
    "hang": "timeout",
    "hang after text": "timeout",
    "a byte a second": "timeout",
    "keep-alives": "timeout",
    "500": "bad_response",
    "502": "unreachable",
    "503": "overloaded",
    "504": "unreachable",
    "401": "unauthorized",
    "403": "unauthorized",
    "404": "bad_response",
    "429": "rate_limited",
    "429 in an hour": "rate_limited",
    "prompt too long": "too_long",
    "bad request": "bad_response",
    "redirect": "bad_response",
    "garbage": "bad_response",
    "garbage after text": "bad_response",
    "deep": "bad_response",
    "wrong shape": "bad_response",
    "error in the stream": "bad_response",
    "wrong type": "bad_response",
    "compressed": "bad_response",
    "not HTTP": "unreachable",
    "closed at once": "unreachable",
    "empty stream": "bad_response",
    "empty answer": "bad_response",
    "cut off": "bad_response",
    "cut by its length": "too_long",
    "half a character": "bad_response",
    "endless line": "too_long",
    "100 MB": "too_long",
    "reset": "bad_response",
}
CLIENT_ERRORS = ("prompt too long", "bad request", "cut by its length")


class MeteredClient:
    """A client with short timeouts, and its metrics."""

    def __init__(self, base_url: str, **changed: object) -> None:
        quick = {"first_token_timeout_s": 0.4, "stall_timeout_s": 0.3, "slow_first_token_s": 0.2, "breaker_open_s": 0.3}
        self.settings = LlmSettings.model_validate(
            {"base_url": base_url, "model": "small", "api_key": SecretStr("MARKER_KEY"), **quick, **changed}
        )
        self.registry = CollectorRegistry()
        self.client = build_openai_client(self.settings, LanguageModelMetrics("small", self.registry))

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"model": "small", **labels}) or 0.0


@asynccontextmanager
async def client_of(mode: str, **changed: object) -> AsyncIterator[tuple[FaultyServer, MeteredClient]]:
    async with faulty_server(mode) as server:
        metered = MeteredClient(server.base_url, **changed)
        yield server, metered
        await metered.client.close()


async def text(client: OpenAiClient, seconds: float = DEADLINE_S) -> str:
    return "".join([chunk async for chunk in client.complete(PROMPT, Deadline.after(seconds))])


async def reason(client: OpenAiClient, seconds: float = DEADLINE_S) -> str:
    with pytest.raises(LanguageModelUnavailable) as caught:
        await text(client, seconds)
    return caught.value.reason


async def test_pieces_come_as_they_are_written_and_the_usage_at_the_end() -> None:
    async with client_of("good") as (server, metered):
        completion = metered.client.complete(PROMPT, Deadline.after(DEADLINE_S))
        assert completion.usage is None
        assert [piece async for piece in completion] == list(REPLY_PARTS)
        assert completion.usage is not None
        assert (completion.usage.prompt_tokens, completion.usage.estimated) == (11, False)
        body = json.loads(server.bodies[0])
    assert body["messages"][1] == {"role": "user", "content": "Where is MARKER_PROMPT?"}
    assert (body["model"], body["stream"], body["max_tokens"], body["temperature"]) == ("small", True, 400, 0.2)
    assert server.tokens == ["Bearer MARKER_KEY"]


@pytest.mark.parametrize("mode", ["good", "no usage", "done missing"])
async def test_a_whole_answer_is_accepted_however_it_ends(mode: str) -> None:
    async with client_of(mode) as (_, metered):
        assert await text(metered.client) == ANSWER


async def test_characters_and_events_may_come_in_any_pieces() -> None:
    async with client_of("byte by byte") as (_, metered):
        assert await text(metered.client, 5.0) == "café"


async def test_an_answer_that_is_not_streamed_comes_whole() -> None:
    async with client_of("not streamed", stream=False) as (server, metered):
        assert await text(metered.client) == ANSWER
    assert "stream" not in json.loads(server.bodies[0])


@pytest.mark.parametrize("mode", REASONS)
async def test_every_server_failure_gives_a_reason_by_the_deadline(mode: str) -> None:
    async with client_of(mode) as (server, metered):
        began = time.monotonic()
        assert await reason(metered.client) == REASONS[mode]
        assert time.monotonic() - began < DEADLINE_S + 0.3
        assert metered.metric("frontdesk_llm_completions_total", outcome=REASONS[mode]) == 1
        assert server.sent < 8_000_000, "an answer over the limit is not read to its end"


@pytest.mark.parametrize("mode", [mode for mode in REASONS if mode not in CLIENT_ERRORS])
async def test_the_breaker_opens_within_20_calls_and_closes_once_the_server_recovers(mode: str) -> None:
    async with client_of(mode, concurrency=20, timeout_s=1.0) as (server, metered):
        for _ in range(4):
            reasons = await asyncio.gather(*(reason(metered.client) for _ in range(5)))
        assert set(reasons) == {FailureReason.OPEN_CIRCUIT}
        assert server.calls <= 1.2 * 20
        assert metered.metric("frontdesk_llm_breaker_state") == 2
        server.mode = "good"
        recovered = time.monotonic()
        while metered.metric("frontdesk_llm_breaker_state") != 0:
            await asyncio.sleep(0.05)
            await asyncio.gather(text(metered.client), return_exceptions=True)
            assert time.monotonic() - recovered < 20
        assert await text(metered.client) == ANSWER


@pytest.mark.parametrize("mode", ["503", "502", "504", "429", "closed at once"])
async def test_at_most_one_call_in_five_is_repeated_during_a_long_failure(mode: str) -> None:
    async with client_of(mode, breaker_open_s=0.001) as (server, metered):
        for _ in range(50):
            await reason(metered.client)
            await asyncio.sleep(0.02)  # the breaker is half open again by then
        assert 50 < server.calls <= 1.2 * 50


@pytest.mark.parametrize("mode", ["500", "401", "garbage after text", "reset"])
async def test_a_permanent_failure_or_a_started_answer_is_not_retried(mode: str) -> None:
    async with client_of(mode, breaker_open_s=0.001) as (server, metered):
        for _ in range(20):
            await reason(metered.client)
            await asyncio.sleep(0.02)  # the breaker is half open again by then
        assert server.calls == 20


async def test_a_call_that_is_repeated_may_be_answered() -> None:
    async with client_of("good") as (server, metered):
        for _ in range(4):
            await text(metered.client)
        server.mode, server.calls = "fails once", 0
        assert await text(metered.client) == ANSWER
        assert server.calls == 2


async def test_a_slow_server_opens_the_breaker_like_a_failing_one() -> None:
    async with client_of("slow") as (_, metered):
        for _ in range(5):
            assert await text(metered.client) == ANSWER
        assert await reason(metered.client) == "open_circuit"


async def test_short_deadlines_of_callers_do_not_open_the_breaker() -> None:
    async with client_of("slow") as (_, metered):
        for _ in range(10):
            assert await reason(metered.client, 0.05) == "timeout"
        assert metered.metric("frontdesk_llm_breaker_state") == 0


@pytest.mark.parametrize("mode", CLIENT_ERRORS)
async def test_requests_that_cannot_be_answered_do_not_open_the_breaker(mode: str) -> None:
    async with client_of(mode) as (_, metered):
        for _ in range(10):
            await reason(metered.client)
        assert metered.metric("frontdesk_llm_breaker_state") == 0


async def test_a_request_over_the_concurrency_limit_is_rejected_at_once() -> None:
    async with client_of("hang", concurrency=2) as (server, metered):
        waiting = [asyncio.create_task(reason(metered.client)) for _ in range(2)]
        await until(lambda: server.calls == 2)
        began = time.monotonic()
        assert await reason(metered.client) == "overloaded"
        assert time.monotonic() - began < 0.05
        assert await asyncio.gather(*waiting) == ["timeout", "timeout"]


@pytest.mark.parametrize("leave", ["close", "cancel"])
async def test_a_caller_that_leaves_stops_the_generation_and_does_not_affect_the_breaker(leave: str) -> None:
    async with client_of("hang after text", concurrency=1) as (server, metered):
        for _ in range(6):
            completion = metered.client.complete(PROMPT, Deadline.after(5.0))
            await anext(completion)
            if leave == "close":
                await completion.aclose()
            else:
                task = asyncio.ensure_future(anext(completion))
                await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await until(lambda: server.open == 0)
        assert metered.metric("frontdesk_llm_completions_total", outcome="abandoned") == 6
        assert metered.metric("frontdesk_llm_breaker_state") == 0


async def test_a_slow_reader_is_not_a_stall_of_the_server() -> None:
    async with client_of("good") as (_, metered):
        pieces = []
        async for piece in metered.client.complete(PROMPT, Deadline.after(5.0)):
            pieces.append(piece)
            await asyncio.sleep(0.35)
        assert pieces == list(REPLY_PARTS)


async def test_no_server_at_all_is_unreachable() -> None:
    async with faulty_server() as server:
        pass
    assert await reason(MeteredClient(server.base_url).client) == "unreachable"


async def test_tokens_and_cost_are_counted_by_model() -> None:
    prices = {"price_per_1000_input_tokens": 2.0, "price_per_1000_output_tokens": 10.0}
    async with client_of("good", **prices) as (server, metered):
        await text(metered.client)
        assert metered.metric("frontdesk_llm_tokens_total", kind="input", estimated="false") == 11
        assert metered.metric("frontdesk_llm_cost_total") == pytest.approx(0.052)
        server.mode = "cut off"
        await reason(metered.client)
        assert metered.metric("frontdesk_llm_tokens_total", kind="output", estimated="true") == 3
        assert metered.metric("frontdesk_llm_upstream_calls_total") == 2


async def test_the_prompt_and_the_key_are_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for mode in REASONS:
        async with client_of(mode) as (_, metered):
            with pytest.raises(LanguageModelUnavailable) as caught:
                await text(metered.client)
            output = f"{caught.value!r} {caught.value} {metered.settings!r} {metered.settings.model_dump()} {PROMPT}"
            assert "MARKER" not in output
    assert "MARKER" not in caplog.text
