"""The client against a real server: llama.cpp with SmolLM2, started as the serving master starts it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Client, HTTPError
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bentos.wiring.local_llm import MODEL, local_llm_settings, prepare_local_llm, start_local_llm
from cli.llm import probe
from frontdesk.config import LlmSettings, Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import ConfigurationError
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.client import ChatMessage, Completion, LanguageModelUnavailable, OpenAiClient
from frontdesk.responses.llm.factory import build_openai_client
from tests.support.serving import free_port

pytest.importorskip("xllamacpp", reason="the extra local-llm is not installed")
GREETING = (ChatMessage("user", "Say hello in three words."),)
PATIENT = {"timeout_s": 60.0, "first_token_timeout_s": 60.0, "stall_timeout_s": 30.0, "slow_first_token_s": 60.0}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    llm = LlmSettings(local_port=free_port(), **PATIENT)
    return Settings(home=tmp_path_factory.mktemp("home"), llm=llm)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    prepare_local_llm(settings)
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("FRONTDESK_LLM__LOCAL_PORT", str(settings.llm.local_port))
        process = start_local_llm(settings)
    yield process
    process.kill()
    process.wait()


def client_of(settings: Settings, **changed: object) -> OpenAiClient:
    llm = local_llm_settings(settings).model_copy(update=changed)
    return build_openai_client(llm, LanguageModelMetrics(MODEL, CollectorRegistry()))


async def text(completion: Completion) -> str:
    return "".join([piece async for piece in completion])


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "chat"])
async def test_it_answers_and_counts_its_tokens(server: object, settings: Settings, stream: bool) -> None:
    client = client_of(settings, stream=stream, max_tokens=200)
    pieces: list[str] = []
    for _ in range(4):  # the model's answers are sampled, and a long one is refused
        completion = client.complete(GREETING, Deadline.after(60.0))
        with contextlib.suppress(LanguageModelUnavailable):
            pieces = [piece async for piece in completion]
            break
    assert "".join(pieces).strip()
    assert (len(pieces) > 1) is stream
    assert completion.usage is not None
    assert completion.usage.completion_tokens >= 1
    assert not completion.usage.estimated
    await client.close()


async def test_a_wrong_key_is_unauthorized(server: object, settings: Settings) -> None:
    client = client_of(settings, api_key=SecretStr("wrong"))
    with pytest.raises(LanguageModelUnavailable) as caught:
        await text(client.complete(GREETING, Deadline.after(60.0)))
    assert caught.value.reason == "unauthorized"
    await client.close()


async def test_a_prompt_that_does_not_fit_is_too_long(server: object, settings: Settings) -> None:
    client = client_of(settings)
    with pytest.raises(LanguageModelUnavailable) as caught:
        await text(client.complete((ChatMessage("user", "word " * 20_000),), Deadline.after(60.0)))
    assert caught.value.reason == "too_long"
    await client.close()


async def test_an_answer_beyond_its_limit_is_not_used(server: object, settings: Settings) -> None:
    client = client_of(settings, max_tokens=3)
    with pytest.raises(LanguageModelUnavailable) as caught:
        await text(client.complete((ChatMessage("user", "Tell me a long story."),), Deadline.after(60.0)))
    assert caught.value.reason == "too_long"
    await client.close()


async def test_the_deadline_ends_a_generation(server: object, settings: Settings) -> None:
    client = client_of(settings)
    began = time.monotonic()
    with pytest.raises(LanguageModelUnavailable) as caught:
        await text(client.complete((ChatMessage("user", "Tell me a long story."),), Deadline.after(0.5)))
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 0.8
    await client.close()


def test_doctor_asks_the_server_its_model_and_a_word(server: object, settings: Settings) -> None:
    local = local_llm_settings(settings)
    assert probe(local)[0] == "good"
    assert probe(local.model_copy(update={"model": "other"}))[0] == "bad"
    assert "unauthorized" in probe(local.model_copy(update={"api_key": SecretStr("wrong")}))[1]


def test_nothing_is_told_without_the_key_and_it_is_its_owners_alone(server: object, settings: Settings) -> None:
    key = settings.keys / "llm.key"
    assert key.stat().st_mode & 0o077 == 0
    with Client(base_url=f"http://127.0.0.1:{settings.llm.local_port}", trust_env=False, timeout=10.0) as client:
        for path in ("/", "/slots", "/props", "/metrics", "/v1/embeddings"):
            assert client.get(path).status_code in (401, 404), path
        assert client.post("/completion", json={"prompt": "Hello"}).status_code == 401


def test_a_second_one_on_the_same_port_is_refused(server: object, settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="Cannot listen"):
        start_local_llm(settings)


def test_it_ends_with_the_pipe_of_whoever_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, llm=LlmSettings(local_port=free_port()))
    monkeypatch.setenv("FRONTDESK_LLM__LOCAL_PORT", str(settings.llm.local_port))
    prepare_local_llm(settings)
    process = start_local_llm(settings)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10.0) == 0
    with pytest.raises(HTTPError), Client(trust_env=False) as client:
        client.get(f"http://127.0.0.1:{settings.llm.local_port}/health")
