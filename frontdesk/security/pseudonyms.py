"""HMAC pseudonyms, used to recognise erased customers.

The key has its own file and must never be rotated: existing pseudonyms would no longer match. All hosts that share a
database need the same file.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from frontdesk.security.key_store import ERASURE_KEY_FILE, load_or_create_secret


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """Key of pseudonyms. Without the key, a pseudonym cannot be reversed by trying inputs."""

    secret: bytes = field(repr=False)

    def pseudonym(self, plain: bytes) -> str:
        """Return the HMAC-SHA256 of `plain` in hex."""
        return hmac.new(self.secret, plain, hashlib.sha256).hexdigest()


def load_pseudonym_key(folder: Path) -> PseudonymKey:
    """Load the key in `folder`/erasure.key; create it on first use. Concurrent processes get the same key.

    Raises:
        ConfigurationError: the file is readable by group or others, is not base64url text, or has less than 32 bytes.
    """
    return PseudonymKey(load_or_create_secret(folder / ERASURE_KEY_FILE))
