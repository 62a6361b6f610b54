"""Work offload between the API workers of one server.

The kernel does not balance long-lived connections: each goes to the worker that wakes up first. One worker often gets
all of eight connections, and a gRPC client with one channel always uses one worker, while other cores are idle
(measured: 139 requests/s instead of 250 at concurrency 8 on two cores). A worker with more load than another therefore
forwards texts to it. This costs 0.15 ms of CPU, compared with about 4 ms for the models.

    load board -> number of texts to offload, and the peer -> call over a unix socket -> understandings

Frames are a length and JSON, over sockets in a folder that only the owner of the server can open. After any failure of
a peer, the texts are handled locally. Independent of the models.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.balancing.shared_load import LoadBoard

SURPLUS_DIVISOR = 4
"""Texts are offloaded only if the loads differ by more than a quarter of this worker's load."""
UNAVAILABLE_S = 1.0
"""Time for which a peer that did not answer is not used."""

_LENGTH = struct.Struct("!I")
_MAX_FRAME_BYTES = 16 * 2**20

Understand = Callable[[Sequence[MaskedText], Deadline], Awaitable[Sequence[Understanding]]]


@dataclass(frozen=True, slots=True)
class _OffloadRequest:
    version: str
    texts: tuple[str, ...]
    remaining_s: float


_REQUEST = TypeAdapter(_OffloadRequest)
_RESPONSE = TypeAdapter(list[Understanding])


def offload_sockets_folder(sockets: Path) -> Path:
    """Return the folder of the workers' offload sockets; `sockets` is the socket folder of their master."""
    return sockets / "lending"


class PeerUnavailable(Exception):
    """The peer is not running, cannot take the texts, or serves another bundle. The texts must be handled locally."""


def count_texts_to_offload(own_load: int, texts: int, other: int) -> int:
    """Return how many of `texts` new texts to offload to a worker, from the loads of both workers."""
    surplus = own_load + texts - other
    if surplus < 2 or surplus * SURPLUS_DIVISOR <= own_load:
        return 0
    return min(texts, surplus // 2)


@dataclass(eq=False, slots=True)
class _Peer:
    """Another worker: idle connections, number of offloaded texts in flight, and the end of its unavailability."""

    socket: Path
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    offloaded: int = 0
    unavailable_until: float = 0.0

    async def exchange(self, frame: bytes) -> bytes:
        """Send a frame and return the response. Raises the exceptions of the socket."""
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_unix_connection(str(self.socket))
        try:
            await _write_frame(writer, frame)
            answer = await _read_frame(reader)
        except BaseException:  # the answer of a cancelled call may still arrive, so the connection cannot be reused
            writer.close()
            raise
        self.idle.append((reader, writer))
        return answer


class WorkOffload:
    """Forwards texts of this worker to other workers, and handles texts that other workers forward.

    Args:
        board: the loads of the workers of this server. Their sockets are in its folder, which nothing else uses; the
            path of a socket must have less than 104 characters.
        version: of the bundle. Only workers with the same version exchange texts.
        understand_locally: predicts the understanding of texts in this worker.
    """

    def __init__(self, board: LoadBoard, *, version: str, understand_locally: Understand) -> None:
        self._board = board
        self._own_socket = board.folder / f"{board.index}.sock"
        self._others = {other: _Peer(board.folder / f"{other}.sock") for other in board.loads_of_others()}
        self._version = version
        self._understand_locally = understand_locally
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start to accept texts of other workers.

        Raises:
            OSError: the path of the folder is too long for a socket.
        """
        self._own_socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._own_socket))

    async def close(self) -> None:
        """Stop accepting texts. Other workers handle their unanswered texts locally."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        for peer in self._others.values():
            for _, writer in peer.idle:
                writer.close()
        self._own_socket.unlink(missing_ok=True)

    def plan_offload(self, own_load: int, texts: int) -> tuple[int, int]:
        """Return how many of `texts` new texts to offload, and to which peer; 0 if closed. `own_load` is ours."""
        if self._server is None:
            return 0, -1
        now = time.monotonic()
        loads = {
            other: max(load, self._others[other].offloaded)
            for other, load in self._board.loads_of_others().items()
            if self._others[other].unavailable_until <= now
        }
        if not loads:
            return 0, -1
        least_loaded = min(loads, key=loads.__getitem__)
        return count_texts_to_offload(own_load, texts, loads[least_loaded]), least_loaded

    async def understand(self, other: int, texts: Sequence[MaskedText], deadline: Deadline) -> list[Understanding]:
        """Return the understanding of each text from another worker.

        Raises:
            PeerUnavailable: the texts must be handled locally.
        """
        peer = self._others[other]
        frame = _REQUEST.dump_json(
            _OffloadRequest(self._version, tuple(text.text for text in texts), deadline.remaining_s())
        )
        peer.offloaded += len(texts)
        try:
            answer = await peer.exchange(frame)
        except (OSError, EOFError):
            peer.unavailable_until = time.monotonic() + UNAVAILABLE_S
            raise PeerUnavailable from None
        finally:
            peer.offloaded -= len(texts)
        if not answer:
            raise PeerUnavailable
        return _RESPONSE.validate_json(answer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the connection of a peer, one call after another."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served in a task"
        self._serving.add(task)
        try:
            while True:
                await _write_frame(writer, await self._answer(await _read_frame(reader)))
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the peer or this worker stops; asyncio would log a cancelled connection as an error
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, frame: bytes) -> bytes:
        """Return understandings as JSON; an empty response after a failure, so the peer handles the texts itself."""
        try:
            request = _REQUEST.validate_json(frame)
            if request.version != self._version:
                return b""
            texts = [MaskedText(text) for text in request.texts]
            return _RESPONSE.dump_json(list(await self._understand_locally(texts, Deadline.after(request.remaining_s))))
        except Exception:  # noqa: BLE001 - the peer runs into the same error and reports it to its caller
            return b""


async def _write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(_LENGTH.pack(len(frame)) + frame)
    await writer.drain()


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read a frame; raises `EOFError` (asyncio's IncompleteReadError) if the connection was closed."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _MAX_FRAME_BYTES:
        raise EOFError
    return await reader.readexactly(length)
