from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.routing import Match

from bentos.admission.routes import ROUTES, RPCS, find_routes, find_rpc
from bentos.gateway.app import build_app
from bentos.grpc.grpc_server import add_services
from bentos.schemas.queries import FeedbackIn, QueryIn, RevokeIn
from bentos.schemas.query_params import (
    QueryListParameters,
    check_query_string,
    customer_id_from_path,
    session_id_from_path,
)
from bentos.service import Frontdesk
from frontdesk.config import Settings
from frontdesk.security.tokens import SCOPES
from tests.support.grpc_server import FakeWorker


def no_heartbeats() -> object:
    raise AssertionError("not used in this test")


def test_every_route_of_the_application_is_in_the_table_and_the_other_way_round() -> None:
    application = {
        (route.path_format, method) for route in build_app(no_heartbeats).routes for method in route.methods - {"HEAD"}
    }
    table = {
        (route.template, method) for route in ROUTES if not (route.native or route.oip) for method in route.methods
    }
    assert application - {("/openapi.json", "GET")} == table - {("/openapi.json", "GET")}


APPLICATION = build_app(no_heartbeats)


def answered_by(method: str, raw_path: str) -> tuple[str, str] | None:
    """The templates that the route table and the application find for a path as sent."""
    routes = [route for route in find_routes(raw_path) if method in route.methods and route.escapes]
    scope = {"type": "http", "method": method, "path": unquote(raw_path), "root_path": ""}
    matches = [route for route in APPLICATION.routes if route.matches(scope)[0] is Match.FULL]
    return (routes[0].template, matches[0].path_format) if routes and matches else None


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=50))
@example("zz\nq")
@example("\nx")
@example("x\n")
@example("\r\n\u2028\x85")
@example("a/history")
@example("a/history\n")
@example("/")
@example("..")
@example("?#%2F")
def test_every_id_that_can_be_stored_can_be_erased_and_its_history_read(identity: str) -> None:
    try:
        QueryIn(text="hello", customer_id=identity, session_id=identity)
    except ValueError:
        return  # cannot be stored
    for method, template in (
        ("DELETE", "/v1/customers/{customer_id}"),
        ("DELETE", "/v1/sessions/{session_id}"),
        ("GET", "/v1/customers/{customer_id}/history"),
    ):
        before, _, after = re.split(r"(\{[a-z_]+\})", template)
        path = f"{before}{quote(identity, safe='')}{after}"
        assert answered_by(method, path) == (template, template), path
        request = Request({"type": "http", "raw_path": path.encode(), "headers": []})
        assert (session_id_from_path if "sessions" in path else customer_id_from_path)(request) == identity


def test_every_method_that_bentoml_offers_is_in_the_table_and_no_other() -> None:
    native = {route.template for route in ROUTES if route.native and route.methods == ("POST",)}
    assert native == {f"/{name}" for name in Frontdesk.apis}


class Registering:
    """A server that only records its registered methods."""

    def __init__(self) -> None:
        self.paths: set[str] = set()

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        self.paths |= {path for handler in handlers for path in handler._method_handlers}

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self.paths |= {f"/{service}/{name}" for name in handlers}


async def test_every_rpc_that_is_registered_is_in_the_table_and_the_other_way_round() -> None:
    server = Registering()
    await add_services(server, FakeWorker(), Settings(home=Path("/nonexistent")))
    assert server.paths == {rpc.path for rpc in RPCS}


def test_a_method_that_the_table_has_forgotten_stops_the_server_from_starting() -> None:
    with pytest.raises(KeyError):
        find_rpc("/frontdesk.v1.FrontdeskService/EraseCustomer")


def test_only_health_reflection_and_liveness_are_open_over_grpc() -> None:
    open_ = {rpc.path.split("/")[1] for rpc in RPCS if rpc.foreign}
    assert open_ == {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert {rpc.path.split("/")[2] for rpc in RPCS if rpc.scope is None and not rpc.foreign} == {
        "ServerLive",
        "ServerReady",
    }
    assert {rpc.scope for rpc in RPCS} - {None} <= set(SCOPES)


def test_nothing_has_two_entries() -> None:
    assert len({rpc.path for rpc in RPCS}) == len(RPCS)
    doors = [(route.template, method) for route in ROUTES for method in route.methods]
    assert len(set(doors)) == len(doors)


def test_every_route_under_v1_needs_a_scope_that_tokens_can_have() -> None:
    for route in ROUTES:
        if route.template.startswith("/v1/") or route.methods == ("POST",):
            assert route.scope in SCOPES, route


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/queries/", "/v1/queries/a/b", "//v1/understand", "/v1/understand/", "/V1/understand", "",
     "/static_content/", "/static_content/a/b", "/understand/x",
     "/v1/customers//history", "/v1/customers/a/b", "/v1/queries/a/feedback/", "/v1/analytics",
     "/v2/", "/v2/models", "/v2/models//infer", "/v2/models/a/b", "/v2/models/a/versions/1/x"],
)  # fmt: skip
def test_a_path_that_is_not_in_the_table_does_not_exist(path: str) -> None:
    assert find_routes(path) == ()


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v2/models/roberta", "/v2/models/{model}"),
        ("/v2/models/roberta/infer", "/v2/models/{model}/infer"),
        ("/v2/models/roberta/versions/7/ready", "/v2/models/{model}/versions/{version}/ready"),
    ],
)
def test_a_model_is_found_under_its_template(path: str, template: str) -> None:
    (route,) = find_routes(path)
    assert (route.template, route.scope, route.oip) == (template, "understand", True)


def test_every_route_that_asks_the_models_is_refused_while_too_much_waits() -> None:
    asking = {route.template for route in ROUTES if route.models}
    posting = {route.template for route in ROUTES if route.methods == ("POST",) and route.scope != "admin"}
    assert posting - asking == {"/v2/repository/index", "/v1/queries/{query_id}/feedback"}


def test_each_method_of_a_path_has_its_own_scope() -> None:
    scopes = {route.methods: route.scope for route in find_routes("/v1/queries")}
    assert scopes == {("POST",): "answer", ("GET",): "history:read"}


def test_a_path_of_its_own_goes_before_an_id() -> None:
    assert [route.template for route in find_routes("/v1/queries/export")] == ["/v1/queries/export"]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/customers/a%2Fhistory", "/v1/customers/{customer_id}"),
        ("/v1/customers/a%2Fb/history", "/v1/customers/{customer_id}/history"),
        ("/v1/customers/..%2F..%2Fv1%2Fadmin", "/v1/customers/{customer_id}"),
    ],
)
def test_an_escaped_slash_is_part_of_an_id_and_makes_no_other_path(path: str, template: str) -> None:
    (route,) = find_routes(path)
    assert (route.template, route.escapes) == (template, True)


def test_only_ids_that_are_not_ours_may_be_escaped() -> None:
    assert {route.template for route in ROUTES if route.escapes} == {
        "/v1/customers/{customer_id}",
        "/v1/customers/{customer_id}/history",
        "/v1/sessions/{session_id}",
    }


def test_a_query_id_is_found_under_its_template() -> None:
    assert {(route.template, route.methods, route.scope) for route in find_routes("/v1/queries/0190-abc")} == {
        ("/v1/queries/{query_id}", ("GET",), "history:read"),
        ("/v1/queries/{query_id}", ("DELETE",), "admin"),
    }


def test_the_openapi_document_describes_bodies_problems_and_the_token() -> None:
    document = build_app(no_heartbeats).openapi()
    operation = document["paths"]["/v1/understand"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert schema == "#/components/schemas/QueryIn"
    text = document["components"]["schemas"]["QueryIn"]["properties"]["text"]
    assert text["maxLength"] == 65_536
    assert operation["security"] == [{"token": []}]
    assert {"question", "asks_about"} <= set(document["components"]["schemas"]["Decision"]["properties"])
    references = set(_references(document))
    assert {ref.removeprefix("#/components/schemas/") for ref in references} <= set(document["components"]["schemas"])


def test_every_route_with_query_parameters_refuses_repeated_ones() -> None:
    reading = [route for route in APPLICATION.routes if route.dependant.query_params]
    assert len(reading) == 8
    for route in reading:
        assert check_query_string in [dependency.call for dependency in route.dependant.dependencies], route.path


def described(path: str) -> dict[str, dict[str, Any]]:
    """The parameters of GET of a path by name."""
    operation = build_app(no_heartbeats).openapi()["paths"][path]["get"]
    return {parameter["name"]: parameter for parameter in operation["parameters"]}


def test_query_parameters_are_described_as_they_are_read() -> None:
    parameters = described("/v1/queries")
    assert set(parameters) == {
        "from", "to", "customer_id", "intent", "sentiment", "priority", "decision", "model_version", "limit", "cursor"
    }  # fmt: skip
    limit = parameters["limit"]["schema"]
    assert (limit["type"], limit["minimum"], limit["maximum"], limit["default"]) == ("integer", 1, 200, 50)
    assert parameters["from"]["schema"]["format"] == "date-time"
    assert not any(parameter["required"] for parameter in parameters.values())
    assert "null" not in str(parameters)
    assert set(described("/v1/analytics/timeseries")) == {"from", "to", "bucket"}
    assert set(described("/v1/analytics/summary")) == {"from", "to"}
    assert set(described("/v1/customers/{customer_id}/history")) == {"customer_id", "limit", "cursor"}


def test_every_answer_has_a_schema_and_no_route_promises_a_status_that_is_never_sent() -> None:
    operations = build_app(no_heartbeats).openapi()["paths"]
    without = set()
    for path in operations:
        for method, operation in operations[path].items():
            assert operation["responses"].get("422", {}).get("description") != "Validation Error"
            content = operation["responses"]["200"].get("content", {})
            if path.startswith("/v1/") and not any(kind["schema"] for kind in content.values()):
                without.add((method, path))
    assert without == {("post", "/v1/understand/batch")}


def test_the_document_has_examples_that_the_routes_accept() -> None:
    schemas = build_app(no_heartbeats).openapi()["components"]["schemas"]
    for model in (FeedbackIn, RevokeIn):
        (example,) = schemas[model.__name__]["examples"]
        model.model_validate_json(json.dumps(example))
    examples = {
        name: parameter["schema"]["examples"][0]
        for name, parameter in described("/v1/queries").items()
        if "examples" in parameter["schema"]
    }
    assert set(examples) == {"from", "to", "customer_id", "intent"}
    QueryListParameters.model_validate(examples)
    for item in ("QueryItem", "InteractionItem"):
        without = {name for name, field in schemas[item]["properties"].items() if "examples" not in field}
        assert without - {"feedback"} == {"created_at"}, item


def _references(node: object) -> list[str]:
    if isinstance(node, list):
        return [reference for value in node for reference in _references(value)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if "$ref" in node else []
    return own + [reference for value in node.values() for reference in _references(value)]
