"""Keys that sign tokens on this machine: `signing.key` signs, the other keys only verify.

Running processes notice a change of the folder within a second. Does not depend on tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from frontdesk.security.key_store import KeyFiles, KeyPurpose, ReloadingKeyRing, SecretKey


@dataclass(frozen=True, slots=True)
class SigningKey(SecretKey):
    """HS256 key: `secret` signs and verifies; `kid` is its id in the header of a token."""

    @property
    def algorithm(self) -> Literal["HS256"]:
        return "HS256"

    @property
    def material(self) -> bytes:
        return self.secret


class LocalTokenKeys:
    """Keys of a folder, at most a second old."""

    def __init__(self, folder: Path) -> None:
        self._reloading_ring = ReloadingKeyRing(KeyFiles(folder, KeyPurpose.SIGNING))

    def find(self, kid: str) -> SigningKey | None:
        key = self._reloading_ring.get_key_ring().find(kid)
        return None if key is None else SigningKey(key.kid, key.secret)

    async def refetch(self) -> bool:
        """Reload the keys now, because a token may be newer; return whether anything changed."""
        return self._reloading_ring.reload()


def load_signing_key(folder: Path) -> SigningKey:
    """Return the key in `folder`/signing.key; create it on first use.

    Raises:
        ConfigurationError: the file is readable by group or others, or is damaged.
    """
    return SigningKey.of(KeyFiles(folder, KeyPurpose.SIGNING).active().secret)
