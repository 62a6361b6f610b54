"""Routes of the OpenAPI document, the files of Swagger UI, and metrics.

A worker keeps each body in memory once, even if many slow clients download it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path

import bentoml
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from bentos.gateway.request_state import Worker

PIECE_BYTES = 16_384
"""Chunk size of a file, which is the largest buffer for a client that does not read."""
MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-light-32x32.png": "image/png",
}
METRICS_SHARE = 0.25
"""Largest share of a worker's time that rendering metrics may take."""


class CoalescedRendering:
    """Coalesces concurrent renderings, which run in a thread. Each call gets a rendering that started after it."""

    def __init__(self, render: Callable[[], tuple[bytes, str]], share: float = METRICS_SHARE) -> None:
        self._render = render
        self._share = share
        self._next: asyncio.Task[tuple[bytes, str]] | None = None
        self._rendering_lock = asyncio.Lock()
        self._not_before = 0.0

    async def get(self) -> tuple[bytes, str]:
        """Body and content type of a rendering that starts after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._render_in_thread())
        return await asyncio.shield(self._next)

    async def _render_in_thread(self) -> tuple[bytes, str]:
        async with self._rendering_lock:
            await asyncio.sleep(self._not_before - time.monotonic())
            self._next = None  # later calls need a newer rendering
            started = time.monotonic()
            try:
                return await asyncio.to_thread(self._render)
            finally:
                ended = time.monotonic()
                self._not_before = ended + (ended - started) * (1 / self._share - 1)


@cache
def _read_static_file_chunks(name: str) -> tuple[bytes, ...]:
    content = (Path(bentoml.__file__).parent / "_internal" / "server" / "static_content" / name).read_bytes()
    return tuple(content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))


def add_docs_and_metrics_routes(app: FastAPI) -> None:
    """Add `/openapi.json`, `/metrics`, and `/static_content/...` from BentoML's package, so /docs needs no network."""
    shared: list[CoalescedRendering] = []

    @cache
    def openapi_json() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(openapi_json(), media_type="application/json")

    for name, media_type in MEDIA_TYPES.items():
        app.get(f"/static_content/{name}", include_in_schema=False)(_static_file_handler(name, media_type))

    @app.get("/metrics", include_in_schema=False)
    async def metrics(worker: Worker) -> Response:
        if not shared:
            shared.append(CoalescedRendering(worker.telemetry.metrics.render))
        body, content_type = await shared[0].get()
        return Response(body, headers={"content-type": content_type})


def _static_file_handler(name: str, media_type: str) -> Callable[[], object]:
    async def send_file() -> Response:
        pieces = _read_static_file_chunks(name)

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        length = str(sum(map(len, pieces)))
        return StreamingResponse(body(), media_type=media_type, headers={"content-length": length})

    return send_file
