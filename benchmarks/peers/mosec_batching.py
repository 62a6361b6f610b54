"""mosec: one stage, one worker process per core, dynamic batching by its server in Rust.

    python -m benchmarks.peers.mosec_batching --address 127.0.0.1 --port PORT --timeout 60000 --log-level warning

Set up according to its documentation: `num` is the number of cores; `max_wait_time` is "less than the batch inference
time", here the minimum of 1 ms, for which a single request waits; one stage, because several stages help only if a GPU
would wait for a CPU; one BLAS thread (set by the harness for every server); a custom `serialize`.
"""

from __future__ import annotations

from typing import Any

from mosec import Server, Worker

from benchmarks.peers.model import CORES, load_ensemble, to_json
from frontdesk.types import Understanding

MAX_BATCH, MAX_WAIT_MS, TIMEOUT_S = 32, 1, 60


class Understand(Worker):
    def __init__(self) -> None:
        super().__init__()
        self._ensemble = load_ensemble()

    def forward(self, data: list[dict[str, Any]]) -> list[Understanding]:
        return self._ensemble.understand([request["text"] for request in data])

    def serialize(self, data: Understanding) -> bytes:
        return to_json(data)


if __name__ == "__main__":
    server = Server()
    server.append_worker(Understand, num=CORES, max_batch_size=MAX_BATCH, max_wait_time=MAX_WAIT_MS, timeout=TIMEOUT_S)
    server.run()
