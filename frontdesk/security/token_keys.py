"""The keys that sign tokens on this machine: `signing.key` signs, those beside it verify only.

Knows nothing of tokens. Processes that run see a change of the folder within a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from frontdesk.security.key_store import KeyFiles, KeyPurpose, ReloadingKeyRing, SecretKey


@dataclass(frozen=True, slots=True)
class SigningKey(SecretKey):
    """`secret` signs and verifies; `kid` names it in the header of a token."""

    @property
    def algorithm(self) -> Literal["HS256"]:
        return "HS256"

    @property
    def material(self) -> bytes:
        return self.secret


class LocalTokenKeys:
    """The keys of a folder as they are now, give or take a second."""

    def __init__(self, folder: Path) -> None:
        self._reloading_ring = ReloadingKeyRing(KeyFiles(folder, KeyPurpose.SIGNING))

    def find(self, kid: str) -> SigningKey | None:
        key = self._reloading_ring.get_key_ring().find(kid)
        return None if key is None else SigningKey(key.kid, key.secret)

    async def refetch(self) -> bool:
        """Look now: a token may be younger than the last look. Is anything new?"""
        return self._reloading_ring.reload()


def load_signing_key(folder: Path) -> SigningKey:
    """The key in `folder`/signing.key, made on first run.

    Raises:
        ConfigurationError: the file can be read by group or others, or is damaged.
    """
    return SigningKey.of(KeyFiles(folder, KeyPurpose.SIGNING).active().secret)
