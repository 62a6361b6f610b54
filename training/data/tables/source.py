"""The bytes of a table: a regular file, a gzip archive, or a copy of standard input or a named pipe.

A signature in the content takes precedence over the suffix: many exports have the wrong name.
"""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from frontdesk.errors import DataError

STANDARD_INPUT = Path("-")
"""The path that stands for standard input."""

READ_ERRORS = (OSError, EOFError, zlib.error)

_GZIP = b"\x1f\x8b"
_COPY_CHUNK_BYTES = 1 << 20


class Source:
    """Bytes that can be read several times. `name` is used in messages.

    Args:
        path: of a regular file or a named pipe, or `STANDARD_INPUT`; the latter two are copied to an anonymous
            temporary file in `spool`.
        name: default: the file's name.
        spool: folder of the temporary file.

    Raises:
        DataError: the file does not exist or cannot be read.
    """

    def __init__(self, path: Path, name: str = "", spool: Path | None = None) -> None:
        self.path = path
        self.name = name or ("standard input" if path == STANDARD_INPUT else path.name)
        self.position = 0
        self._copy: BinaryIO | None = None
        self._stream: IO[bytes] | None = None
        with self.translated_errors():
            if path == STANDARD_INPUT:
                self._copy = _copy_to_temporary_file(sys.stdin.buffer, spool)
            elif stat.S_ISFIFO(path.stat().st_mode):
                with path.open("rb") as pipe:
                    self._copy = _copy_to_temporary_file(pipe, spool)
            elif not path.is_file():
                raise DataError(f"{self.name} is not a regular file.", hint="Give a file, a folder or - .")
            self.compressed = self._starts_with(_GZIP)
        if path.suffix.lower() == ".gz" and not self.compressed and self.head(1):
            raise DataError(f"{self.name} is damaged or not a gzip file.", hint="Compress it again, or remove .gz.")

    @property
    def size(self) -> int:
        """Bytes on disk: of a compressed file, the compressed ones."""
        if self._copy is not None:
            return self._copy.seek(0, io.SEEK_END)
        return self.path.stat().st_size

    @property
    def is_spooled(self) -> bool:
        """Whether the bytes came from standard input or a pipe."""
        return self._copy is not None

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Convert errors of reading and decompressing to a DataError that names the file."""
        try:
            yield
        except FileNotFoundError:
            raise DataError(f"There is no file {self.name}.") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise DataError(
                f"{self.name} is damaged: its compressed data ends early or is wrong.", hint="Copy or export it again."
            ) from None
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror or error}.") from None

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the decompressed bytes from the start. `progress` is updated by reading."""
        with self.translated_errors():
            raw = self._raw()
            self._stream = raw
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw, mode="rb")) if self.compressed else raw
            try:
                yield stream
            finally:
                self.position = raw.tell()
                self._stream = None
                if self._copy is None:
                    raw.close()

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Open the decompressed bytes for random access; compressed ones are unpacked to a temporary file."""
        with self.opened() as stream:
            if not self.compressed:
                yield stream
                return
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(stream, unpacked, _COPY_CHUNK_BYTES)
                unpacked.seek(0)
                yield unpacked

    @property
    def progress(self) -> int:
        """Number of the `size` bytes that have been read."""
        return self._stream.tell() if self._stream is not None else self.position

    def head(self, size: int) -> bytes:
        """Return the first decompressed bytes."""
        with self.opened() as stream:
            return stream.read(size)

    def _starts_with(self, signature: bytes) -> bool:
        raw = self._raw()
        is_match = raw.read(len(signature)) == signature
        if self._copy is None:
            raw.close()
        return is_match

    def _raw(self) -> BinaryIO:
        if self._copy is not None:
            self._copy.seek(0)
            return self._copy
        return self.path.open("rb")


def _copy_to_temporary_file(stream: IO[bytes], folder: Path | None) -> BinaryIO:
    """Copy the stream into an unnamed file that only this process can open."""
    copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the process
    shutil.copyfileobj(stream, copy, _COPY_CHUNK_BYTES)
    copy.seek(0)
    return copy
