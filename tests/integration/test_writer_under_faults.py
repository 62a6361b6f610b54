"""The writer, the client and a server that fails: whatever it does, the template answers in time and names why."""

from __future__ import annotations

import time

import pytest
from prometheus_client import CollectorRegistry

from bentos.wiring.replies import open_writer
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.factory import build_openai_client
from frontdesk.types import (
    Action,
    Candidate,
    Decision,
    Intent,
    MaskedText,
    ReplyRequest,
    Sentiment,
    Uncertainty,
    Understanding,
    WrittenReply,
)
from tests.support.fakes import NoEmbedding
from tests.support.faulty_llm import faulty_server
from tests.unit.frontdesk.responses.llm.test_client import REASONS

DEADLINE_S = 1.0
UNDERSTANDING = Understanding(
    Intent("track_order", 0.9, (), True, out_of_scope_probability=0.1),
    Sentiment("neutral", 0.9, {"neutral": 0.9}),
    Uncertainty(0.1, 0.05, 0.05, "ensemble"),
    members=(),
    plausible=(Candidate("track_order", 0.9),),
    automation_threshold=0.8,
)
REQUEST = ReplyRequest(
    "acme", MaskedText("Where is my parcel? [ORDER_1]"), UNDERSTANDING, Decision(Action.AUTOMATE, (), (), None)
)


@pytest.mark.parametrize("mode", REASONS)
async def test_whatever_the_server_does_the_template_answers_in_time_and_names_why(mode: str) -> None:
    async with faulty_server(mode) as server:
        settings = Settings.model_validate(
            {
                "responses": {"provider": "openai"},
                "llm": {"base_url": server.base_url, "model": "small", "first_token_timeout_s": 0.5},
            }
        )
        client = build_openai_client(settings.llm, LanguageModelMetrics("small", CollectorRegistry()))
        writer = open_writer(settings, NoEmbedding(), client, None)
        began = time.monotonic()
        *_, content = [piece async for piece in writer.write(REQUEST, Deadline.after(DEADLINE_S))]
        assert time.monotonic() - began < DEADLINE_S + 0.3
        await client.close()
    assert isinstance(content, WrittenReply)
    assert content.reply.source == "template"
    assert content.reply.fallback in (REASONS[mode], "checks_failed")
    assert content.reply.citations
    assert 1 <= server.calls <= 2
