"""Every path that the server answers, with the scope that it needs and the body that it takes: one table.

A path that is not in it does not exist. `scope` None means open to anyone who reaches the port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Route:
    """One path template. `batch` bodies may be larger; `native` paths are answered by BentoML's own application."""

    template: str
    methods: tuple[str, ...]
    scope: str | None = None
    batch: bool = False
    native: bool = False


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
            Route("/v1/understand", ("POST",), "understand"),
            Route("/v1/understand/batch", ("POST",), "understand", batch=True),
            Route("/v1/queries", ("POST",), "answer"),
            Route("/v1/admin/models", ("GET",), "admin"),
            Route("/understand", ("POST",), "understand", native=True),
            Route("/answer", ("POST",), "answer", native=True),
            Route("/schema.json", ("GET",), native=True),
            Route("/static_content/swagger-ui-bundle.js", ("GET",), native=True),
            Route("/static_content/swagger-ui.css", ("GET",), native=True),
            Route("/static_content/favicon-light-32x32.png", ("GET",), native=True),
        )
    }
)

_QUERY = Route("/v1/queries/{query_id}", ("GET",), "history:read")
_QUERIES = "/v1/queries/"

ROUTES = (*EXACT.values(), _QUERY)


def find_route(path: str) -> Route | None:
    """The route of a path, or None where there is none."""
    if (exact := EXACT.get(path)) is not None:
        return exact
    query_id = path.removeprefix(_QUERIES)
    return _QUERY if query_id not in ("", path) and "/" not in query_id else None
