"""Field encryption: what a customer wrote, and what they were sent, is kept sealed beside its masked form.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, section 8.2.2: below 2^32 values a key). A sealed value is

    1 byte of version | 4 bytes of key id | 12 of nonce | ciphertext | 16 of tag

and is bound to its context, such as tenant, row and column: moved to another place it does not open. Values name their
key, so that a later one can seal while earlier ones still open. Knows nothing of tables.

    <keys>/sealing.key         seals, and opens
    <keys>/sealing-<kid>.key   opens only: an older key until it is retired, or one that waits for its turn
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from frontdesk.errors import ConfigurationError, DataError
from frontdesk.randomness import RandomBytesPool
from frontdesk.security.key_store import KeyFiles, KeyPurpose, KeyRing, ReloadingKeyRing

KEY_ID_AT = 1
"""Where in a sealed value the id of its key begins, from 0."""
KEY_ID_BYTES = 4

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_NONCE_POOL = RandomBytesPool(_NONCE_BYTES)
_HEADER_BYTES = len(_VERSION) + KEY_ID_BYTES + _NONCE_BYTES

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class FieldCipher(Protocol):
    """Seals and opens, and makes fingerprints: a `AesGcmFieldCipher`, or the one of a folder whose keys may change."""

    def encrypt(self, plain: bytes, context: bytes) -> bytes: ...

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes: ...

    def fingerprint(self, plain: bytes) -> str: ...

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """`key_id` names it in every value that it sealed; `fingerprint_secret` makes fingerprints and is derived from the secret."""

    key_id: bytes
    cipher: AESGCM = field(repr=False)
    fingerprint_secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> EncryptionKey:
        """The key whose secret these (at least 32) bytes are."""
        cipher_key = hashlib.sha256(b"frontdesk sealing" + secret).digest()
        fingerprint_secret = hashlib.sha256(b"frontdesk fingerprints" + secret).digest()
        return cls(hashlib.sha256(secret).digest()[:KEY_ID_BYTES], AESGCM(cipher_key), fingerprint_secret)

    @property
    def kid(self) -> str:
        """The id as people see it, and as the key's file is named."""
        return self.key_id.hex()


@dataclass(frozen=True, slots=True)
class AesGcmFieldCipher:
    """Seals with `current`; opens what `current` or one of `earlier`, by key id, has sealed."""

    current: EncryptionKey
    earlier: Mapping[bytes, EncryptionKey] = field(default_factory=dict)

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """`plain`, encrypted and bound to `context`. The same bytes never look the same twice."""
        nonce = _NONCE_POOL.next_bytes()
        return _VERSION + self.current.key_id + nonce + self.current.cipher.encrypt(nonce, plain, context)

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes:
        """What was sealed for this context.

        Raises:
            ConfigurationError: it was sealed with a key that is not here.
            DataError: it was changed, or belongs to another context.
        """
        header, ciphertext = encrypted[:_HEADER_BYTES], encrypted[_HEADER_BYTES:]
        if len(ciphertext) < _TAG_BYTES or not header.startswith(_VERSION):
            raise DataError("A sealed value is too short, or of a version that is not known.")
        key = self._key(read_key_id(encrypted))
        try:
            return key.cipher.decrypt(header[-_NONCE_BYTES:], ciphertext, context)
        except InvalidTag:
            raise DataError("A sealed value was changed, or belongs to another place.") from None

    def fingerprint(self, plain: bytes) -> str:
        """The same for the same bytes, and of no use without the key to who would try out what the bytes may be."""
        return _fingerprint(self.current, plain)

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool:
        """Is it one of these bytes, whichever of our keys it was made with?"""
        matching_key = next((key for key in self._keys() if fingerprint.startswith(key.key_id.hex())), None)
        return matching_key is not None and hmac.compare_digest(fingerprint, _fingerprint(matching_key, plain))

    def has_key(self, key_id: bytes) -> bool:
        """Is the key of that id here?"""
        return key_id == self.current.key_id or key_id in self.earlier

    def _keys(self) -> tuple[EncryptionKey, ...]:
        return (self.current, *self.earlier.values())

    def _key(self, key_id: bytes) -> EncryptionKey:
        if key_id == self.current.key_id:
            return self.current
        if (key := self.earlier.get(key_id)) is None:
            raise ConfigurationError(
                f"A value was sealed with the key {key_id.hex()}, which is not here.",
                hint="Put back the key file that it was sealed with.",
            )
        return key


class ReloadingFieldCipher:
    """The seal of a folder as it is now: a key that is made current seals within `RELOAD_INTERVAL_S`, a second.

    A value of a key that is not known is reason to look at once. While a key file cannot be used, which is logged, the
    keys from before go on.
    """

    def __init__(self, folder: Path) -> None:
        self._reloading_ring = ReloadingKeyRing(KeyFiles(folder, KeyPurpose.FIELD_ENCRYPTION))
        self._ring = self._reloading_ring.get_key_ring()
        self._cipher = _build_cipher(self._ring)

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """As `AesGcmFieldCipher.encrypt`."""
        return self._current_cipher().encrypt(plain, context)

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes:
        """As `AesGcmFieldCipher.decrypt`, with its errors."""
        cipher = self._current_cipher()
        if not cipher.has_key(read_key_id(encrypted)):
            cipher = self._current_cipher(reload_first=True)
        return cipher.decrypt(encrypted, context)

    def fingerprint(self, plain: bytes) -> str:
        """As `AesGcmFieldCipher.fingerprint`."""
        return self._current_cipher().fingerprint(plain)

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool:
        """As `AesGcmFieldCipher.matches_fingerprint`; a key that another host made current may be younger than the last look."""
        return any(
            self._current_cipher(reload_first=reload_first).matches_fingerprint(fingerprint, plain)
            for reload_first in (False, True)
        )

    def _current_cipher(self, *, reload_first: bool = False) -> AesGcmFieldCipher:
        try:
            if reload_first:
                self._reloading_ring.reload()
            ring = self._reloading_ring.get_key_ring()
        except (ConfigurationError, OSError) as error:
            _log.warning("A sealing key cannot be used, those from before are: %s", error)
            return self._cipher
        if ring is not self._ring:
            self._cipher, self._ring = _build_cipher(ring), ring
        return self._cipher


def open_field_cipher(folder: Path) -> ReloadingFieldCipher:
    """The seal with the keys in `folder`; sealing.key is made on first run: 32 random bytes, file 0600.

    Every host that shares a database needs the same keys; whoever loses one loses the originals that it sealed, not the
    masked texts.

    Raises:
        ConfigurationError: a file can be read by group or others, is no base64url text, or is under 32 bytes.
    """
    return ReloadingFieldCipher(folder)


def read_field_cipher(folder: Path) -> AesGcmFieldCipher:
    """The same as it is at this moment, for a job that wants one current key from its beginning to its end."""
    return _build_cipher(KeyFiles(folder, KeyPurpose.FIELD_ENCRYPTION).read())


def read_key_id(encrypted: bytes) -> bytes:
    """Which key a value was sealed with."""
    return encrypted[KEY_ID_AT : KEY_ID_AT + KEY_ID_BYTES]


def _build_cipher(ring: KeyRing) -> AesGcmFieldCipher:
    earlier = [EncryptionKey.of(key.secret) for key in ring.others]
    return AesGcmFieldCipher(EncryptionKey.of(ring.active.secret), {key.key_id: key for key in earlier})


def _fingerprint(key: EncryptionKey, plain: bytes) -> str:
    return f"{key.key_id.hex()}:{hmac.new(key.fingerprint_secret, plain, hashlib.sha256).hexdigest()}"
