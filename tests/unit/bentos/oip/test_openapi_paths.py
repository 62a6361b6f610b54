from __future__ import annotations

from bentos.admission.routes import ROUTES
from bentos.oip.openapi_paths import oip_paths


def test_exactly_the_routes_of_the_table_are_described() -> None:
    described = {(path, method.upper()) for path, item in oip_paths().items() for method in item}
    assert described == {(route.template, method) for route in ROUTES if route.oip for method in route.methods}


def test_only_liveness_and_readiness_of_the_server_need_no_token() -> None:
    security = {path: operation["security"] for path, item in oip_paths().items() for operation in item.values()}
    assert {path for path, needed in security.items() if not needed} == {"/v2/health/live", "/v2/health/ready"}


def test_every_variable_of_a_path_is_described() -> None:
    for path, item in oip_paths().items():
        for operation in item.values():
            named = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert named == [name for name in ("model", "version") if f"{{{name}}}" in path]
