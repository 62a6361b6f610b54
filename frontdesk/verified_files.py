"""Files whose hash is verified when they are read, so that the verified bytes are the bytes used.

A file can change between the verification of its folder and its loading. Loaders take a `ReadableFile`: a plain path in
training, otherwise a `VerifiedFile` of a sealed bundle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from frontdesk.errors import BundleError


class ReadableFile(Protocol):
    """Port of the loaders: a file, or a folder whose files are `folder / name`."""

    @property
    def name(self) -> str: ...

    def __truediv__(self, name: str, /) -> Self: ...

    def read_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file or folder below `root`. `hashes` are the SHA-256 digests by relative path with forward slashes."""

    root: Path
    hashes: Mapping[str, str]
    relative_path: str = ""

    @property
    def name(self) -> str:
        return self.relative_path.rpartition("/")[2]

    def __truediv__(self, name: str, /) -> Self:
        return type(self)(self.root, self.hashes, f"{self.relative_path}/{name}".lstrip("/"))

    def read_bytes(self) -> bytes:
        """Return the content of the file, which is read once.

        Raises:
            BundleError: the file does not exist or does not match its hash.
        """
        expected = self.hashes.get(self.relative_path)
        try:
            content = (self.root / self.relative_path).read_bytes() if expected is not None else b""
        except OSError:
            expected = None
            content = b""
        if expected is None or hashlib.sha256(content).hexdigest() != expected:
            raise BundleError(
                f"{self.relative_path} of the bundle in {self.root} is not the file that was verified.",
                field=self.relative_path,
                hint="The bundle changed while it was loaded. Restore it, or train again: frontdesk train",
            )
        return content
