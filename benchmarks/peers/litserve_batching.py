"""LitServe: workers that take whole batches from one queue.

    python -m benchmarks.peers.litserve_batching PORT

Set up according to its documentation: one worker per core (`workers_per_device`), as many API servers as workers (the
default), `fast_queue=True` (ZeroMQ) "when serving hundreds of requests per second", responses built in the worker. A
single request waits for the whole `batch_timeout`; with 0, idle workers would poll a queue in another process without a
pause.
"""

from __future__ import annotations

import sys

import litserve
from fastapi import Response

from benchmarks.peers.model import CORES, load_ensemble, to_json
from frontdesk.types import Understanding

MAX_BATCH, BATCH_TIMEOUT_S = 32, 0.002


class Understand(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        self._ensemble = load_ensemble()

    def decode_request(self, request) -> str:  # noqa: ANN001 - LitServe uses an annotation as the schema of the body
        text: str = request["text"]
        return text

    def predict(self, texts: list[str]) -> list[Understanding]:
        return self._ensemble.understand(texts)

    def encode_response(self, output: Understanding) -> Response:
        """Return a complete response: FastAPI would traverse a dictionary, which costs more than writing the JSON."""
        return Response(to_json(output), media_type="application/json")


if __name__ == "__main__":
    server = litserve.LitServer(
        Understand(max_batch_size=MAX_BATCH, batch_timeout=BATCH_TIMEOUT_S),
        accelerator="cpu",
        workers_per_device=CORES,
        fast_queue=True,
        timeout=60,
    )
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
