"""A BentoML service whose requests meet our own door before BentoML's middleware stack.

`Service.to_asgi` builds the application that a worker serves; this class wraps it. BentoML's stack stays behind the
door for its own routes, so that Bento clients work (measured in FACTS: a FastAPI app behind the stack costs 0.7-1.0 ms
of CPU a request, ahead of it 0.25). `_bentoml_sdk` is no public interface: the version is pinned and the hook tested.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import attrs
from _bentoml_sdk import Service
from starlette.types import ASGIApp

T = TypeVar("T")


class ApplicationWrapper(Protocol):
    """What a service class offers to be served on the fast path."""

    def wrap_application(self, native: ASGIApp) -> ASGIApp: ...


@attrs.define(eq=False)
class GatewayService(Service[T]):  # type: ignore[misc]  # BentoML's SDK is skipped by the type checker, so Service is Any
    """`inner.wrap_application(native)` receives BentoML's application and returns the one to serve."""

    def to_asgi(self, is_main: bool = True) -> Any:
        native = super().to_asgi(is_main)
        return self.inner.wrap_application(native)

    def on_load_bento(self, bento: Any) -> None:
        """A Bento lists the services of the placement that it was built with; BentoML's own method ends in a
        `StopIteration` where it is served with another. None of ours has models for it to look up there.
        """
        for service in self.all_services().values():
            service.bento = bento
