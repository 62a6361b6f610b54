"""A keyed hash under which something is known again without being known: erased customers.

Its key is its own and is never rotated: with another one nobody who was erased would be known any more. Every host that
shares a database needs the same file.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from frontdesk.security.key_store import ERASURE_KEY_FILE, load_or_create_secret


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """`pseudonym` is of no use without the key to who would try out what was hashed."""

    secret: bytes = field(repr=False)

    def pseudonym(self, plain: bytes) -> str:
        """HMAC-SHA256 in hex: the same for the same bytes."""
        return hmac.new(self.secret, plain, hashlib.sha256).hexdigest()


def load_pseudonym_key(folder: Path) -> PseudonymKey:
    """The key in `folder`/erasure.key, made on first run; processes that start together end with the same one.

    Raises:
        ConfigurationError: the file can be read by group or others, is no base64url text, or is under 32 bytes.
    """
    return PseudonymKey(load_or_create_secret(folder / ERASURE_KEY_FILE))
