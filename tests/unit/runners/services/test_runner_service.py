from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest
from structlog.testing import capture_logs

from frontdesk.config import ModelSettings, Settings
from frontdesk.errors import DeadlineExceeded, Overloaded
from runners.models.execution_provider import ON_CPU
from runners.remote.placement import ENCODERS, MEMBERS, META_LEARNER, TREES
from runners.services.distilbert_service import DistilBert
from runners.services.encoder_service import Encoders
from runners.services.meta_learner_service import MetaLearner
from runners.services.roberta_service import Roberta
from runners.services.runner_service import RunnerApp, RunnerService, find_execution_provider_for_members
from runners.services.tree_service import TreesAndLinear


class Reversing:
    """A runner that reverses request bodies, or raises."""

    path = "/bundles/v1/call"

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def call(self, body: bytes) -> bytes:
        if self._error:
            raise self._error
        return body[::-1]


async def native(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})


async def post(runner: Reversing, path: str, *pieces: bytes) -> tuple[int, bytes]:
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b""})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await RunnerApp(native, lambda: runner)({"type": "http", "path": path}, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_a_call_in_several_parts_is_answered() -> None:
    assert await post(Reversing(), "/bundles/v1/call", b"abc", b"de") == (200, b"edcba")


@pytest.mark.parametrize("path", ["/bundles/v2/call", "/", "/call", "/docs", "/scores", "/schema.json"])
async def test_other_paths_are_not_answered_nor_passed_to_bentoml_which_would_unpickle_them(path: str) -> None:
    assert await post(Reversing(), path, pickle.dumps("abc")) == (404, b"")


async def test_bentoml_answers_its_own_health_routes() -> None:
    assert (await post(Reversing(), "/livez"))[0] == 299


@pytest.mark.parametrize(
    ("error", "status"),
    [(Overloaded("full", retry_after_s=1), 503), (DeadlineExceeded("late"), 503), (ValueError("a secret"), 500)],
)
async def test_an_error_is_sent_as_a_status_without_details(error: Exception, status: int) -> None:
    with capture_logs() as logged:
        assert await post(Reversing(error), "/bundles/v1/call", b"abc") == (status, b"")
    assert [line["error"] for line in logged] == (["builtins.ValueError"] if status == 500 else [])
    assert "secret" not in str(logged)


def test_each_service_is_one_process_with_the_name_in_the_placement() -> None:
    services = (Encoders, DistilBert, Roberta, TreesAndLinear, MetaLearner)
    assert {service.name for service in services} == {*MEMBERS, META_LEARNER}
    for service in services:
        assert isinstance(service, RunnerService)
        assert (service.config["workers"], service.apis) == (1, {})


def test_only_a_runner_with_encoders_looks_for_a_gpu_and_logs_the_result(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(model=ModelSettings(provider="cpu"))
    with caplog.at_level(logging.INFO, logger="bentoml.frontdesk"):
        assert find_execution_provider_for_members(MEMBERS[TREES], settings) is ON_CPU
        assert caplog.messages == []
        assert find_execution_provider_for_members(MEMBERS[ENCODERS], settings).because == "configured"
    assert caplog.messages == ["Encoders run on cpu (configured)."]
