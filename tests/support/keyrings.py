"""Fixed sets of signing keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from frontdesk.security.key_store import KeyFiles, KeyPurpose
from frontdesk.security.token_keys import SigningKey


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs, and others that verify only."""

    active: SigningKey
    others: tuple[SigningKey, ...] = ()

    def find(self, kid: str) -> SigningKey | None:
        return next((key for key in (self.active, *self.others) if key.kid == kid), None)

    async def refetch(self) -> bool:
        return False


def read_keyring(folder: Path) -> Keyring:
    """Every signing key of the folder. Raises ConfigurationError, as `KeyFiles.read`."""
    ring = KeyFiles(folder, KeyPurpose.SIGNING).read()
    return Keyring(SigningKey.of(ring.active.secret), tuple(SigningKey.of(key.secret) for key in ring.others))
