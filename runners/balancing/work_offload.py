"""Workers of one server help each other: what would wait in one is read by another that has less to do.

Clients keep their connections, and the kernel gives each to whichever worker wakes first: of eight connections one
worker often gets all, a gRPC client with one channel always reaches a single one, and the other cores would idle
(measured: 139 requests/s instead of 250 at concurrency 8 on two cores). Moving the text instead of the connection costs
0.15 ms of CPU, against some 4 ms of models, and only where the loads differ.

    load board -> how many of these texts to lend, and to whom -> a call over a unix socket -> understandings

Frames are a length and JSON, over sockets in a folder that only the server's owner can enter.
Whatever goes wrong with a neighbour, the texts are read here. Knows nothing of models.
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
"""Texts are lent only where the loads differ by more than a quarter of this worker's: small differences even out."""
UNAVAILABLE_S = 1.0
"""A neighbour that did not answer is left alone for so long."""

_LENGTH = struct.Struct("!I")
_MAX_FRAME_BYTES = 16 * 2**20

Understand = Callable[[Sequence[MaskedText], Deadline], Awaitable[Sequence[Understanding]]]


@dataclass(frozen=True, slots=True)
class _Request:
    version: str
    texts: tuple[str, ...]
    remaining_s: float


_REQUEST = TypeAdapter(_Request)
_RESPONSE = TypeAdapter(list[Understanding])


def offload_folder(sockets: Path) -> Path:
    """Return the folder of the workers' offload sockets; `sockets` is the socket folder of their master."""
    return sockets / "lending"


class PeerUnavailable(Exception):
    """The neighbour is not there, cannot take the texts, or serves another bundle: read them here."""


def offload_size(own: int, texts: int, other: int) -> int:
    """How many of `texts` new ones another worker should read, given the loads of both."""
    surplus = own + texts - other
    if surplus < 2 or surplus * SURPLUS_DIVISOR <= own:
        return 0
    return min(texts, surplus // 2)


@dataclass(eq=False, slots=True)
class _Peer:
    """Another worker: idle connections to it, texts lent and not yet answered, and until when it counts as away."""

    socket: Path
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    offloaded: int = 0
    unavailable_until: float = 0.0

    async def exchange(self, frame: bytes) -> bytes:
        """Raises what a socket raises."""
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_unix_connection(str(self.socket))
        try:
            await _write(writer, frame)
            answer = await _read(reader)
        except BaseException:  # of a cancelled call an answer is still to come, so the connection is of no more use
            writer.close()
            raise
        self.idle.append((reader, writer))
        return answer


class WorkOffload:
    """This worker among the others.

    Args:
        board: the load of this server's workers. Their sockets are in its folder, which only they use; a socket's path
            in it must have less than 104 characters.
        version: of the bundle: texts are read for a neighbour that serves the same one only.
        read: how texts are read here.
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
        """Be there for the others.

        Raises:
            OSError: the folder's path is too long for a socket.
        """
        self._own_socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._own_socket))

    async def close(self) -> None:
        """Be there no more: what others have asked and not got, they read themselves."""
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

    def plan_offload(self, own: int, texts: int) -> tuple[int, int]:
        """How many of `texts` new ones to lend, and to which neighbour; `own` texts wait or run here. 0 if closed."""
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
        return offload_size(own, texts, loads[least_loaded]), least_loaded

    async def understand(self, other: int, texts: Sequence[MaskedText], deadline: Deadline) -> list[Understanding]:
        """What the neighbour makes of each text.

        Raises:
            NeighbourAway: the texts are to be read here.
        """
        peer = self._others[other]
        frame = _REQUEST.dump_json(_Request(self._version, tuple(text.text for text in texts), deadline.remaining_s()))
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
        """One neighbour's connection, a call after another."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served in a task"
        self._serving.add(task)
        try:
            while True:
                await _write(writer, await self._answer(await _read(reader)))
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the neighbour has gone, or this worker goes; asyncio logs a cancelled connection as an error
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, frame: bytes) -> bytes:
        """Understandings as JSON; nothing where they could not be had: the neighbour then reads the texts itself."""
        try:
            request = _REQUEST.validate_json(frame)
            if request.version != self._version:
                return b""
            texts = [MaskedText(text) for text in request.texts]
            return _RESPONSE.dump_json(list(await self._understand_locally(texts, Deadline.after(request.remaining_s))))
        except Exception:  # noqa: BLE001 - whatever it is, the neighbour meets it again where its caller is told of it
            return b""


async def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(_LENGTH.pack(len(frame)) + frame)
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Raises `EOFError` (as asyncio's IncompleteReadError) where the other side has gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _MAX_FRAME_BYTES:
        raise EOFError
    return await reader.readexactly(length)
