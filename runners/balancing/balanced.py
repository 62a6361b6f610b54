"""The layer that balances load between the workers of one server, by forwarding texts to a less loaded worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.balancing.shared_load import LoadBoard
from runners.balancing.work_offload import PeerUnavailable, WorkOffload
from runners.layer import PredictionLayer


class Balanced:
    """Implements `PredictionLayer` around the `inner` layer of this worker, and serves that layer to the other workers.

    Args:
        inner: handles texts that are not forwarded, and texts that other workers forward to this one.
        board: this worker's view of the load of all workers; closed with this layer.
        version: of the bundle. Workers that serve another version are not used.
    """

    def __init__(self, inner: PredictionLayer, board: LoadBoard, version: str) -> None:
        self._inner = inner
        self._board = board
        self._load = 0  # number of texts that wait or run in this worker
        self._offload = WorkOffload(board, version=version, understand_locally=self._understand_locally)

    async def start(self) -> None:
        """Start to accept texts of other workers and to forward texts to them.

        Raises:
            OSError: the path of the board's folder is too long for a socket.
        """
        await self._offload.open()

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        """Return the understanding of each text. Some or all texts may be forwarded to the least loaded worker.

        Raises:
            Exception: as raised by the inner layer.
        """
        offloaded, peer = self._offload.plan_offload(self._load, len(texts))
        if not offloaded:
            return await self._understand_locally(texts, deadline)
        remote = self._understand_remotely(peer, texts[:offloaded], deadline)
        if offloaded == len(texts):
            return await remote
        parts = await asyncio.gather(remote, self._understand_locally(texts[offloaded:], deadline))
        return [*parts[0], *parts[1]]

    def local_share(self, texts: int) -> float:
        """Return the share of `texts` new texts that this worker would evaluate itself."""
        offloaded, _ = self._offload.plan_offload(self._load, texts)
        return 1 - offloaded / texts

    async def close(self) -> None:
        """Stop serving other workers, finish accepted work, and close the inner layer."""
        await self._offload.close()
        await self._inner.close()
        self._board.close()

    async def _understand_remotely(
        self, peer: int, texts: Sequence[MaskedText], deadline: Deadline
    ) -> Sequence[Understanding]:
        try:
            return await self._offload.understand(peer, texts, deadline)
        except PeerUnavailable:
            return await self._understand_locally(texts, deadline)

    async def _understand_locally(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        self._add_load(len(texts))
        try:
            return await self._inner.understand(texts, deadline)
        finally:
            self._add_load(-len(texts))

    def _add_load(self, texts: int) -> None:
        self._load += texts
        self._board.publish(self._load)
