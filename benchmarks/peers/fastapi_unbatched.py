"""FastAPI under uvicorn, a worker a core, every request on its own: what most people begin with.

    PEER_ENCODERS=torch uvicorn benchmarks.peers.fastapi_unbatched:app --workers 2 --no-access-log

`torch` runs the encoders as PyTorch modules, eager, fp32 (`torch_encoder.py`); `onnx` runs the ensemble as Frontdesk
does, so that the difference between the two is the runtime and the rest is the missing batcher. The endpoint is a plain
`def`, as FastAPI's documentation says for work that blocks; of its threads one a worker is let through at a time, for
with more of them forward passes only take each other's core. With `torch`, memory includes what restoring took.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI, Response
from pydantic import BaseModel

from benchmarks.peers.model import load_ensemble, to_json

ENCODERS_VARIABLE = "PEER_ENCODERS"


class Query(BaseModel):
    text: str


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = 1
    ensemble = load_ensemble()
    if os.environ[ENCODERS_VARIABLE] == "torch":
        from benchmarks.peers.torch_encoder import with_torch_encoders

        ensemble = with_torch_encoders(ensemble)
    app.state.ensemble = ensemble
    yield


app = FastAPI(lifespan=_lifespan)


@app.post("/understand")
def understand(query: Query) -> Response:
    (understanding,) = app.state.ensemble.understand([query.text])
    return Response(to_json(understanding), media_type="application/json")
