"""The key that signs tokens: one file, readable by its owner alone, made on first run.

Knows nothing of tokens, and does not rotate: to change the key, move the file away and restart every process.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from frontdesk.errors import ConfigurationError

KEY_BYTES = 32
"""As many as the hash has (RFC 7518, section 3.2, for HS256)."""

FILE_NAME = "signing.key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`secret` signs; `kid`, the first 8 hex digits of its SHA-256, names it in the header of a token."""

    kid: str
    secret: bytes = field(repr=False)


def signing_key(folder: Path) -> SigningKey:
    """The key in `folder`/signing.key, made on first run: folder 0700, file 0600, 32 random bytes in base64url.

    Processes that start together end with the same key.

    Raises:
        ConfigurationError: the file can be read by group or others, is no base64url text, or is under 32 bytes.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _make(path)
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"The key {path} is open to other users.", hint=f"Run: chmod 600 {path}")
        text = file.read().strip()
    secret = _decoded(text, path)
    if len(secret) < KEY_BYTES:
        raise ConfigurationError(
            f"The key {path} has {len(secret)} bytes; it needs {KEY_BYTES}.",
            hint="Move the file away: a new key is made at the next start.",
        )
    return SigningKey(kid=hashlib.sha256(secret).hexdigest()[:8], secret=secret)


def _decoded(text: bytes, path: Path) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ConfigurationError(
            f"The key {path} is not base64url text.", hint="Move the file away: a new key is made at the next start."
        ) from None


def _make(path: Path) -> None:
    """Write the whole key under another name, then link it: whoever links first wins, and nobody sees half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its key is everybody's
    finally:
        draft.unlink()
