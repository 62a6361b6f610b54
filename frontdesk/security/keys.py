"""The keys that sign tokens on this machine: files readable by their owner alone, the first one made on first run.

    <home>/keys/signing.key         signs, and verifies
    <home>/keys/signing-<kid>.key   verifies only: an older key until it is retired, or one that waits for its turn

Knows nothing of tokens. Processes that run see a change of the folder within a second.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from frontdesk.errors import ConfigurationError

KEY_BYTES = 32
"""As many as the hash has (RFC 7518, section 3.2, for HS256)."""

FILE_NAME = "signing.key"
OTHERS = "signing-*.key"
LOOK_AGAIN_S = 1.0


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
    """The keyring of a folder as it is now, give or take a second: what one look costs is saved for the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ring = read_keyring(folder)
        self._seen = self._stamp()
        self._look_at = time.monotonic() + LOOK_AGAIN_S

    def find(self, kid: str) -> SigningKey | None:
        if time.monotonic() >= self._look_at:
            self._look()
        return self._ring.find(kid)

    async def refetch(self) -> bool:
        """Look now: a token may be younger than the last look. Is anything new?"""
        before = self._ring
        self._look()
        return self._ring is not before

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_AGAIN_S
        if (stamp := self._stamp()) != self._seen:
            self._ring, self._seen = read_keyring(self._folder), stamp

    def _stamp(self) -> frozenset[tuple[str, int, int, int]]:
        """Names, inodes, modes and times: what was replaced or opened to others is seen."""
        found = set()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith("signing") and entry.name.endswith(".key"):
                    with contextlib.suppress(FileNotFoundError):
                        about = entry.stat()
                        found.add((entry.name, about.st_ino, about.st_mode, about.st_mtime_ns))
        return frozenset(found)


def signing_key(folder: Path) -> SigningKey:
    """The key in `folder`/signing.key, made on first run: folder 0700, file 0600, 32 random bytes in base64url.

    Processes that start together end with the same key.

    Raises:
        ConfigurationError: the file can be read by group or others, is no base64url text, or is under 32 bytes.
    """
    path = folder / FILE_NAME
    if not path.exists():
        write_secret(path, secrets.token_bytes(KEY_BYTES))
    return _read(path)


def read_keyring(folder: Path) -> Keyring:
    """Every key of the folder. The one that signs is made on first run.

    Raises:
        ConfigurationError: as `signing_key`, for any of them.
    """
    active = signing_key(folder)
    others = {key.kid: key for key in _others(folder) if key.kid != active.kid}
    return Keyring(active, tuple(others.values()))


def add_key(folder: Path) -> SigningKey:
    """Make a key that verifies and does not sign yet, so that it can be copied to other machines before it does."""
    signing_key(folder)
    secret = secrets.token_bytes(KEY_BYTES)
    key = _named(secret)
    write_secret(_place(folder, key.kid), secret)
    return key


def rotate(folder: Path, kid: str | None = None) -> SigningKey:
    """Sign with `kid` from now on, by default with a new key. The one before it goes on verifying.

    Raises:
        ConfigurationError: there is no key of that name.
    """
    ring = read_keyring(folder)
    following = _known(ring, kid) if kid else add_key(folder)
    if following == ring.active:
        return following
    with contextlib.suppress(FileExistsError):
        os.link(folder / FILE_NAME, _place(folder, ring.active.kid))
    draft = _draft(folder / FILE_NAME)
    os.link(_place(folder, following.kid), draft)
    draft.replace(folder / FILE_NAME)
    _place(folder, following.kid).unlink()
    return following


def retire(folder: Path, kid: str) -> None:
    """Delete a key: what it signed is refused from now on.

    Raises:
        ConfigurationError: there is no key of that name, or it is the one that signs.
    """
    ring = read_keyring(folder)
    if _known(ring, kid) == ring.active:
        raise ConfigurationError(f"The key {kid} signs.", hint="Use another one first: frontdesk keys rotate")
    _place(folder, kid).unlink()


def write_secret(path: Path, secret: bytes) -> None:
    """Write the whole file under another name, then link it: whoever links first wins, and nobody sees half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secret).rstrip(b"=") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its key is everybody's
    finally:
        draft.unlink()


def read_secret(path: Path) -> bytes:
    """What `write_secret` wrote, at least 32 bytes.

    Raises:
        ConfigurationError: the file can be read by group or others, is no base64url text, or is under 32 bytes.
        FileNotFoundError: there is none.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"The key {path} is open to other users.", hint=f"Run: chmod 600 {path}")
        text = file.read().strip()
    try:
        secret = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ConfigurationError(f"The key {path} is not base64url text.", hint=_MOVE_AWAY) from None
    if len(secret) < KEY_BYTES:
        raise ConfigurationError(f"The key {path} has {len(secret)} bytes; it needs {KEY_BYTES}.", hint=_MOVE_AWAY)
    return secret


_MOVE_AWAY = "Move the file away: a new key is made at the next start."


def _read(path: Path) -> SigningKey:
    return _named(read_secret(path))


def _named(secret: bytes) -> SigningKey:
    return SigningKey(kid=hashlib.sha256(secret).hexdigest()[:8], secret=secret)


def _others(folder: Path) -> Iterator[SigningKey]:
    for path in sorted(folder.glob(OTHERS)):
        with contextlib.suppress(FileNotFoundError):  # retired since it was listed
            yield _read(path)


def _known(ring: Keyring, kid: str) -> SigningKey:
    key = ring.find(kid)
    if key is None:
        raise ConfigurationError(f"There is no key {kid}.", hint="See: frontdesk keys list")
    return key


def _place(folder: Path, kid: str) -> Path:
    return folder / f"signing-{kid}.key"


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
