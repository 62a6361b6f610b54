"""Every path that the server answers, with the scope that it needs and the body that it takes: one table.

A path that is not in it does not exist. `scope` None means open to anyone who reaches the port.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Route:
    """One path template.

    `batch` bodies may be larger; `models` work is refused at the door while too much waits for them; `native` paths are
    answered by BentoML's own application, `oip` paths by that of the Open Inference Protocol: any content type, and
    errors as it says.
    """

    template: str
    methods: tuple[str, ...]
    scope: str | None = None
    batch: bool = False
    models: bool = False
    native: bool = False
    oip: bool = False


EXACT: Mapping[str, Route] = MappingProxyType(
    {
        route.template: route
        for route in (
            Route("/", ("GET",)),
            Route("/docs", ("GET",)),
            Route("/openapi.json", ("GET",)),
            Route("/livez", ("GET",)),
            Route("/readyz", ("GET",)),
            Route("/metrics", ("GET",)),
            Route("/v1/understand", ("POST",), "understand", models=True),
            Route("/v1/understand/batch", ("POST",), "understand", batch=True, models=True),
            Route("/v1/queries", ("POST",), "answer", models=True),
            Route("/v1/admin/models", ("GET",), "admin"),
            Route("/understand", ("POST",), "understand", models=True, native=True),
            Route("/answer", ("POST",), "answer", models=True, native=True),
            Route("/v2", ("GET",), "understand", oip=True),
            Route("/v2/health/live", ("GET",), oip=True),
            Route("/v2/health/ready", ("GET",), oip=True),
            Route("/v2/repository/index", ("POST",), "understand", oip=True),
            Route("/schema.json", ("GET",), native=True),
            Route("/static_content/swagger-ui-bundle.js", ("GET",), native=True),
            Route("/static_content/swagger-ui.css", ("GET",), native=True),
            Route("/static_content/favicon-light-32x32.png", ("GET",), native=True),
        )
    }
)

_QUERY = Route("/v1/queries/{query_id}", ("GET",), "history:read")
_QUERIES = "/v1/queries/"

_MODEL_PATH = re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?(|/infer|/ready|/config)")
_MODELS: Mapping[tuple[bool, str], Route] = MappingProxyType(
    {
        (bool(version), action): Route(
            f"/v2/models/{{model}}{version}{action}",
            ("POST",) if action == "/infer" else ("GET",),
            "understand",
            batch=action == "/infer",
            models=action == "/infer",
            oip=True,
        )
        for version in ("", "/versions/{version}")
        for action in ("", "/infer", "/ready", "/config")
    }
)
"""By whether a version is named, and what comes after it."""

ROUTES = (*EXACT.values(), _QUERY, *_MODELS.values())


def find_route(path: str) -> Route | None:
    """The route of a path, or None where there is none."""
    if (exact := EXACT.get(path)) is not None:
        return exact
    if (asked := _MODEL_PATH.fullmatch(path)) is not None:
        return _MODELS[asked[1] is not None, asked[2]]
    query_id = path.removeprefix(_QUERIES)
    return _QUERY if query_id not in ("", path) and "/" not in query_id else None
