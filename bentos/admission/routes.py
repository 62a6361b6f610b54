"""Table of all HTTP routes and RPCs with their scopes and properties.

HTTP and gRPC refuse everything that is not in the table. `scope` None means no token is needed. Paths are matched as
sent, before percent-decoding, so an escaped slash does not change the route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from frontdesk.config import SecuritySettings


@dataclass(frozen=True, slots=True)
class Route:
    """A path template with some of its methods. Another method of the same path may need another scope.

    Attributes:
        batch: the larger body limit applies.
        models: the route needs the models; it is refused while their queue is full.
        native: BentoML's own application answers.
        oip: the application of the Open Inference Protocol answers. Any content type is accepted, and errors have the
            form of the protocol.
        escapes: the path may contain percent escapes, for identifiers that clients choose, such as those of customers.
        audited: action in the audit log, which has one entry before the operation and one with its outcome.
        counted: action of aggregated audit entries: one a minute for each caller, with the number of rows read.
    """

    template: str
    methods: tuple[str, ...]
    scope: str | None = None
    batch: bool = False
    models: bool = False
    native: bool = False
    oip: bool = False
    escapes: bool = False
    audited: str | None = None
    counted: str | None = None


ROUTES = (
    Route("/", ("GET",)),
    Route("/docs", ("GET",)),
    Route("/openapi.json", ("GET",)),
    Route("/livez", ("GET",)),
    Route("/readyz", ("GET",)),
    Route("/metrics", ("GET",)),
    Route("/v1/understand", ("POST",), "understand", models=True),
    Route("/v1/understand/batch", ("POST",), "understand", batch=True, models=True),
    Route("/v1/queries", ("POST",), "answer", models=True),
    Route("/v1/queries", ("GET",), "history:read", counted="read"),
    Route("/v1/queries/stream", ("POST",), "answer", models=True),
    Route("/v1/queries/export", ("GET",), "history:read", audited="export"),
    Route("/v1/queries/{query_id}", ("GET",), "history:read", counted="read"),
    Route("/v1/queries/{query_id}", ("DELETE",), "admin", audited="erase"),
    Route("/v1/sessions/{session_id}", ("DELETE",), "admin", escapes=True, audited="erase"),
    Route("/v1/queries/{query_id}/feedback", ("POST",), "feedback"),
    Route("/v1/customers/{customer_id}", ("DELETE",), "admin", escapes=True, audited="erase"),
    Route("/v1/customers/{customer_id}/history", ("GET",), "history:read", escapes=True, counted="read"),
    Route("/v1/analytics/summary", ("GET",), "analytics:read"),
    Route("/v1/analytics/timeseries", ("GET",), "analytics:read"),
    Route("/v1/analytics/intents", ("GET",), "analytics:read"),
    Route("/v1/analytics/escalations", ("GET",), "analytics:read"),
    Route("/v1/analytics/latency", ("GET",), "analytics:read"),
    Route("/v1/admin/models", ("GET",), "admin", counted="admin.read"),
    Route("/v1/admin/outbox", ("GET",), "admin", counted="admin.read"),
    Route("/v1/admin/tokens/revoke", ("POST",), "admin", audited="token.revoke"),
    Route("/v1/admin/outbox/{sink}/{event_id}/retry", ("POST",), "admin", audited="outbox.retry"),
    Route("/v1/admin/outbox/{sink}/{event_id}/drop", ("POST",), "admin", audited="outbox.drop"),
    Route("/understand", ("POST",), "understand", models=True, native=True),
    Route("/answer", ("POST",), "answer", models=True, native=True),
    Route("/v2", ("GET",), "understand", oip=True),
    Route("/v2/health/live", ("GET",), oip=True),
    Route("/v2/health/ready", ("GET",), oip=True),
    Route("/v2/repository/index", ("POST",), "understand", oip=True),
    *(
        Route(
            f"/v2/models/{{model}}{version}{action}",
            ("POST",) if action == "/infer" else ("GET",),
            "understand",
            batch=action == "/infer",
            models=action == "/infer",
            oip=True,
        )
        for version in ("", "/versions/{version}")
        for action in ("", "/infer", "/ready", "/config")
    ),
    Route("/schema.json", ("GET",), native=True),
    Route("/static_content/swagger-ui-bundle.js", ("GET",)),
    Route("/static_content/swagger-ui.css", ("GET",)),
    Route("/static_content/favicon-light-32x32.png", ("GET",)),
)


@dataclass(frozen=True, slots=True)
class Rpc:
    """A method of a gRPC service by its path. `batch` and `models` are as for a route.

    `foreign` methods belong to gRPC itself (health, reflection): they need no token, and a stop does not wait for them.
    """

    path: str
    scope: str | None = None
    batch: bool = False
    models: bool = False
    foreign: bool = False


RPCS = (
    Rpc("/frontdesk.v1.FrontdeskService/Understand", "understand", models=True),
    Rpc("/frontdesk.v1.FrontdeskService/UnderstandBatch", "understand", batch=True, models=True),
    Rpc("/frontdesk.v1.FrontdeskService/Answer", "answer", models=True),
    Rpc("/frontdesk.v1.FrontdeskService/AnswerStream", "answer", models=True),
    Rpc("/inference.GRPCInferenceService/ServerLive"),
    Rpc("/inference.GRPCInferenceService/ServerReady"),
    Rpc("/inference.GRPCInferenceService/ServerMetadata", "understand"),
    Rpc("/inference.GRPCInferenceService/ModelReady", "understand"),
    Rpc("/inference.GRPCInferenceService/ModelMetadata", "understand"),
    Rpc("/inference.GRPCInferenceService/ModelConfig", "understand"),
    Rpc("/inference.GRPCInferenceService/RepositoryIndex", "understand"),
    Rpc("/inference.GRPCInferenceService/ModelInfer", "understand", batch=True, models=True),
    Rpc("/grpc.health.v1.Health/Check", foreign=True),
    Rpc("/grpc.health.v1.Health/List", foreign=True),
    Rpc("/grpc.health.v1.Health/Watch", foreign=True),
    Rpc("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", foreign=True),
)


def configured_scopes_by_route(security: SecuritySettings) -> Mapping[str, str]:
    """Scopes that the settings require for routes without a scope in the table, by template."""
    scopes = {"/metrics": security.metrics_scope, "/schema.json": security.schema_scope}
    return {template: scope for template, scope in scopes.items() if scope is not None}


def find_rpc(path: str) -> Rpc:
    """The entry of a method; called when the server starts. Raises KeyError if the table has no entry."""
    return _RPCS[path]


def find_routes(path: str) -> tuple[Route, ...]:
    """The routes of a path, empty if there are none. A template without parameters takes precedence."""
    if (exact := _EXACT.get(path)) is not None:
        return exact
    return next((routes for pattern, routes in _PATTERNS if pattern.fullmatch(path)), ())


def _by_template(routes: Iterable[Route]) -> Mapping[str, tuple[Route, ...]]:
    grouped: dict[str, tuple[Route, ...]] = {}
    for route in routes:
        grouped[route.template] = (*grouped.get(route.template, ()), route)
    return MappingProxyType(grouped)


def _pattern(template: str) -> re.Pattern[str]:
    """A pattern in which each parameter matches one non-empty segment of the path."""
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in _PARTS.split(template)))


_RPCS: Mapping[str, Rpc] = MappingProxyType({rpc.path: rpc for rpc in RPCS})
_PARTS = re.compile(r"(\{[a-z_]+\})")
_EXACT = _by_template(route for route in ROUTES if "{" not in route.template)
_PATTERNS = tuple(
    (_pattern(template), routes)
    for template, routes in _by_template(route for route in ROUTES if "{" in route.template).items()
)
