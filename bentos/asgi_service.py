"""A BentoML service whose requests pass our gateway before BentoML's middleware.

`Service.to_asgi` builds the application that a worker serves, and `GatewayService` wraps it. The gateway forwards
BentoML's own routes to BentoML's application, so Bento clients work. CPU time per request of a FastAPI application:
0.7-1.0 ms behind BentoML's middleware, 0.25 ms in front of it. `_bentoml_sdk` is not a public interface, so the version
is pinned and a test covers the hook.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import attrs
from _bentoml_sdk import Service
from starlette.types import ASGIApp

T = TypeVar("T")


class ApplicationWrapper(Protocol):
    """A service class that wraps BentoML's application."""

    def wrap_application(self, native: ASGIApp) -> ASGIApp: ...


@attrs.define(eq=False)
class GatewayService(Service[T]):  # type: ignore[misc]  # BentoML's SDK is skipped by the type checker, so Service is Any
    """Serves the application that `inner.wrap_application` returns."""

    def to_asgi(self, is_main: bool = True) -> Any:
        native = super().to_asgi(is_main)
        return self.inner.wrap_application(native)

    def on_load_bento(self, bento: Any) -> None:
        """Set the Bento of all services.

        A Bento lists the services of the placement with which it was built. BentoML's own method raises `StopIteration`
        if the Bento is served with another placement. It also looks up models, which none of our services has.
        """
        for service in self.all_services().values():
            service.bento = bento
