"""Field encryption: what a customer wrote, and what they were sent, is kept sealed beside its masked form.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, section 8.2.2: below 2^32 values a key). A sealed value is

    1 byte of version | 4 bytes of key id | 12 of nonce | ciphertext | 16 of tag

and is bound to its context, such as tenant, row and column: moved to another place it does not open. Values name their
key, so that a later one can seal while earlier ones still open. Knows nothing of tables.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from frontdesk.errors import ConfigurationError, DataError
from frontdesk.security.keys import KEY_BYTES, read_secret, write_secret

FILE_NAME = "sealing.key"

_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(_VERSION) + _ID_BYTES + _NONCE_BYTES


@dataclass(frozen=True, slots=True)
class SealingKey:
    """`key_id` names it in every value that it sealed; `printing` makes fingerprints and is derived from the secret."""

    key_id: bytes
    cipher: AESGCM = field(repr=False)
    printing: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> SealingKey:
        """The key whose secret these (at least 32) bytes are."""
        material = hashlib.sha256(b"frontdesk sealing" + secret).digest()
        printing = hashlib.sha256(b"frontdesk fingerprints" + secret).digest()
        return cls(hashlib.sha256(secret).digest()[:_ID_BYTES], AESGCM(material), printing)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals with `current`; opens what `current` or one of `earlier`, by key id, has sealed."""

    current: SealingKey
    earlier: Mapping[bytes, SealingKey] = field(default_factory=dict)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """`plain`, encrypted and bound to `context`. The same bytes never look the same twice."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + self.current.key_id + nonce + self.current.cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed for this context.

        Raises:
            ConfigurationError: it was sealed with a key that is not here.
            DataError: it was changed, or belongs to another context.
        """
        head, ciphertext = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        if len(ciphertext) < _TAG_BYTES or not head.startswith(_VERSION):
            raise DataError("A sealed value is too short, or of a version that is not known.")
        key = self._key(head[1 : 1 + _ID_BYTES])
        try:
            return key.cipher.decrypt(head[-_NONCE_BYTES:], ciphertext, context)
        except InvalidTag:
            raise DataError("A sealed value was changed, or belongs to another place.") from None

    def fingerprint(self, plain: bytes) -> str:
        """The same for the same bytes, and of no use without the key to who would try out what the bytes may be."""
        digest = hmac.new(self.current.printing, plain, hashlib.sha256).hexdigest()
        return f"{self.current.key_id.hex()}:{digest}"

    def _key(self, wanted: bytes) -> SealingKey:
        if wanted == self.current.key_id:
            return self.current
        if (key := self.earlier.get(wanted)) is None:
            raise ConfigurationError(
                f"A value was sealed with the key {wanted.hex()}, which is not here.",
                hint="Put back the key file that it was sealed with.",
            )
        return key


def open_seal(folder: Path) -> Seal:
    """The seal with the key in `folder`/sealing.key, made on first run: 32 random bytes, file 0600.

    Every host that shares a database needs the same file; whoever loses it loses the originals, not the masked texts.

    Raises:
        ConfigurationError: the file can be read by group or others, is no base64url text, or is under 32 bytes.
    """
    path = folder / FILE_NAME
    if not path.exists():
        write_secret(path, os.urandom(KEY_BYTES))
    return Seal(SealingKey.of(read_secret(path)))
