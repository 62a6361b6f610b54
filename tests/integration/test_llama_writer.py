"""Replies of a real, small language model: what it invents is caught, and whatever it says a customer is safe from it.

The server is llama.cpp with SmolLM2, which is made for demonstrations: it is here to be wrong.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence

import pytest
from prometheus_client import CollectorRegistry

from bentos.wiring.local_llm import MODEL, local_llm_settings, prepare_local_llm, start_local_llm
from frontdesk.config import LlmSettings, Settings
from frontdesk.deadline import Deadline
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.client import OpenAiClient
from frontdesk.responses.llm.factory import build_openai_client
from frontdesk.responses.llm.port import ChatMessage, LanguageModel
from frontdesk.types import Action, Reason
from tests.support.reply_writing import TEMPLATES, model_writer, request, write_reply
from tests.support.serving import free_port

pytest.importorskip("xllamacpp", reason="the extra local-llm is not installed")
pytestmark = pytest.mark.nightly
PATIENT = {"timeout_s": 60.0, "first_token_timeout_s": 60.0, "stall_timeout_s": 30.0, "slow_first_token_s": 60.0}
SECONDS = 120.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    llm = LlmSettings(local_port=free_port(), temperature=0.0, **PATIENT)
    settings = Settings(home=tmp_path_factory.mktemp("home"), llm=llm)
    prepare_local_llm(settings)
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("FRONTDESK_LLM__LOCAL_PORT", str(llm.local_port))
        process = start_local_llm(settings)
    yield settings
    process.kill()
    process.wait()


def client_of(settings: Settings) -> OpenAiClient:
    return build_openai_client(local_llm_settings(settings), LanguageModelMetrics(MODEL, CollectorRegistry()))


class Dictated:
    """The real model, asked for something else: a sentence with a number that no passage holds."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.said: list[str] = []

    async def complete(self, _: Sequence[ChatMessage], deadline: Deadline) -> AsyncGenerator[str, None]:
        query = "Repeat this sentence and nothing else: The refund arrives after 93 working days."
        self.said.append("")
        async for piece in self._model.complete((ChatMessage("user", query),), deadline):
            self.said[-1] += piece
            yield piece


async def test_an_invented_number_is_caught_and_the_template_answers(settings: Settings) -> None:
    client = client_of(settings)
    model = Dictated(client)
    released, last = await write_reply(model_writer(model), request("When is my refund here?", "track_refund"), SECONDS)
    await client.close()

    assert len(model.said) == 2, "asked once, and once more with the reason"
    assert all("93" in output for output in model.said), model.said
    assert "93" not in released + last.reply.text
    assert "grounding" in [result.name for result in last.reply.checks if not result.passed]
    assert (last.reply.source, last.reply.fallback) == ("template", "checks_failed")
    assert last.decision.action is Action.DRAFT
    assert last.decision.reasons == (Reason.REPLY_REFUSED,)


async def test_whatever_it_writes_passed_its_checks_or_is_the_templates(settings: Settings) -> None:
    client = client_of(settings)
    query = request("How long does it take, please?", "delivery_period")
    _, last = await write_reply(model_writer(client), query, SECONDS)
    await client.close()

    if last.reply.fallback is None:
        assert last.reply.checks
        assert all(result.passed for result in last.reply.checks)
    else:
        assert last.reply.text == TEMPLATES.reply(TEMPLATES.plan(query)).text
        assert last.decision.action is (Action.DRAFT if last.reply.fallback == "checks_failed" else Action.AUTOMATE)
