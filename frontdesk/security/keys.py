"""The keys that sign tokens on this machine: `signing.key` signs, those beside it verify only.

Knows nothing of tokens. Processes that run see a change of the folder within a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from frontdesk.security.key_files import KeyFiles, Purpose, Ring, Secret, WatchedKeys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`secret` signs; `kid`, the first 8 hex digits of its SHA-256, names it in the header of a token."""

    kid: str
    secret: bytes = field(repr=False)

    @property
    def algorithm(self) -> Literal["HS256"]:
        return "HS256"

    @property
    def material(self) -> bytes:
        return self.secret


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs, and those that verify beside it."""

    active: SigningKey
    others: tuple[SigningKey, ...] = ()

    def find(self, kid: str) -> SigningKey | None:
        return next((key for key in (self.active, *self.others) if key.kid == kid), None)

    async def refetch(self) -> bool:
        """There is nowhere to fetch from."""
        return False


class KeyFolder:
    """The keyring of a folder as it is now, give or take a second."""

    def __init__(self, folder: Path) -> None:
        self._watched = WatchedKeys(KeyFiles(folder, Purpose.SIGNING))

    def find(self, kid: str) -> SigningKey | None:
        found = self._watched.now().find(kid)
        return None if found is None else _signing(found)

    async def refetch(self) -> bool:
        """Look now: a token may be younger than the last look. Is anything new?"""
        return self._watched.look()


def signing_key(folder: Path) -> SigningKey:
    """The key in `folder`/signing.key, made on first run.

    Raises:
        ConfigurationError: the file can be read by group or others, or is damaged.
    """
    return _signing(KeyFiles(folder, Purpose.SIGNING).active())


def read_keyring(folder: Path) -> Keyring:
    """Every key of the folder. The one that signs is made on first run.

    Raises:
        ConfigurationError: as `signing_key`, for any of them.
    """
    ring: Ring = KeyFiles(folder, Purpose.SIGNING).read()
    return Keyring(_signing(ring.active), tuple(_signing(key) for key in ring.others))


def _signing(key: Secret) -> SigningKey:
    return SigningKey(key.kid, key.secret)
