"""Attributes of the service that BentoML needs for the gateway and the pinned bundle."""

from __future__ import annotations

import json
from types import SimpleNamespace

from _bentoml_sdk import Service
from starlette.requests import Request

from bentos.asgi_service import GatewayService
from bentos.gateway.request_state import AdmittedRequest, set_request_state
from bentos.schemas.queries import QueryIn
from bentos.service import SETTINGS, Frontdesk
from frontdesk.deadline import Deadline
from frontdesk.types import Caller
from tests.support.grpc_server import FakeWorker


def test_the_master_finds_the_hook_that_pins_one_bundle_for_all_workers() -> None:
    """BentoML reads an attribute of the class. A second staticmethod would hide it, and nothing would be pinned."""
    assert callable(Frontdesk.inner.check_and_pin_bundle)
    assert Frontdesk.inner.check_and_pin_bundle.__bentoml_deployment_hook__


def test_the_application_of_a_worker_is_our_door() -> None:
    assert isinstance(Frontdesk, GatewayService)
    assert type(Frontdesk).to_asgi is not Service.to_asgi


def test_workers_and_bentoml_part_of_the_settings_reach_the_service() -> None:
    assert Frontdesk.config["workers"] == SETTINGS.server.workers
    assert Frontdesk.config["logging"] == {"access": {"enabled": False}}


def test_bento_clients_find_both_methods() -> None:
    assert set(Frontdesk.apis) == {"understand", "answer"}


def test_bentoml_hands_the_request_to_both_methods_and_shows_it_to_no_client() -> None:
    for method in Frontdesk.apis.values():
        assert method.ctx_param == "ctx"
        assert set(method.input_spec.model_fields) == set(QueryIn.model_fields)


async def test_a_native_method_answers_from_the_admitted_request() -> None:
    worker, scope = FakeWorker(), {"type": "http", "headers": []}
    caller = Caller("acme", "agent", frozenset({"understand"}))
    set_request_state(scope, worker, AdmittedRequest(caller, Deadline.after(5), "request-1", b"{}"))  # type: ignore[arg-type]
    context = SimpleNamespace(request=Request(scope), response=SimpleNamespace(status_code=200))
    response = await Frontdesk.apis["understand"].func(None, "Hello", ctx=context)
    assert json.loads(response.body)["intent"]["label"] == "track_order"

    worker.recorder.unavailable = True
    refused = await Frontdesk.apis["answer"].func(None, "Hello", ctx=context)
    assert (refused.status_code, refused.media_type) == (503, "application/problem+json")
    assert context.response.status_code == 503  # BentoML sends the status of the context
    assert 'frontdesk_rejected_total{kind="storage-unavailable"} 1.0' in worker.counted()
