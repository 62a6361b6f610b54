"""Files that are compared with their hash in the moment in which they are read: what was verified is what is used.

A folder that was verified as a whole can be written to before its files are loaded. Loaders take a `ReadableFile`: a
plain path in training, a `VerifiedFile` of a sealed bundle everywhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from frontdesk.errors import BundleError


class ReadableFile(Protocol):
    """What loaders need of a file, or of a folder whose files are `folder / name`."""

    @property
    def name(self) -> str: ...

    def __truediv__(self, name: str, /) -> Self: ...

    def read_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file or folder below `root`; `hashes` are the SHA-256 of each file by its path with forward slashes."""

    root: Path
    hashes: Mapping[str, str]
    place: str = ""

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]

    def __truediv__(self, name: str, /) -> Self:
        return type(self)(self.root, self.hashes, f"{self.place}/{name}".lstrip("/"))

    def read_bytes(self) -> bytes:
        """The whole file, read once.

        Raises:
            BundleError: it is not there, or its bytes are not those of the hash.
        """
        expected = self.hashes.get(self.place)
        try:
            content = (self.root / self.place).read_bytes() if expected is not None else b""
        except OSError:
            expected = None
            content = b""
        if expected is None or hashlib.sha256(content).hexdigest() != expected:
            raise BundleError(
                f"{self.place} of the bundle in {self.root} is not the file that was verified.",
                field=self.place,
                hint="Somebody changed the bundle while it was loaded. Restore it, or train again: frontdesk train",
            )
        return content
