"""FastAPI under uvicorn, one worker per core, without batching: a common first set-up.

    uvicorn benchmarks.peers.fastapi_unbatched:app --workers 2 --no-access-log

It runs the ensemble as Frontdesk does, so the difference is the missing batcher. The endpoint is a plain `def`, as
FastAPI's documentation recommends for blocking work. One thread of a worker runs at a time, because parallel forward
passes would compete for the same core.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI, Response
from pydantic import BaseModel

from benchmarks.peers.model import load_ensemble, to_json


class Query(BaseModel):
    text: str


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = 1
    app.state.ensemble = load_ensemble()
    yield


app = FastAPI(lifespan=_lifespan)


@app.post("/understand")
def understand(query: Query) -> Response:
    (understanding,) = app.state.ensemble.understand([query.text])
    return Response(to_json(understanding), media_type="application/json")
