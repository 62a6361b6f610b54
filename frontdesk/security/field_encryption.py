"""Field encryption of original messages and replies, which are stored together with their masked form.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, section 8.2.2: below 2^32 values per key). Layout of an
encrypted value:

    version, 1 byte | key id, 4 bytes | nonce, 12 bytes | ciphertext | tag, 16 bytes

A value is bound to its context, such as tenant, row and column: with another context it cannot be decrypted. It
contains the id of its key, so a new key can encrypt while older keys still decrypt. Does not depend on tables.

    <keys>/sealing.key         encrypts and decrypts
    <keys>/sealing-<kid>.key   decrypts only: an older key until it is retired, or a new key before it is used
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
"""Offset of the key id in an encrypted value."""
KEY_ID_BYTES = 4

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_NONCE_POOL = RandomBytesPool(_NONCE_BYTES)
_HEADER_BYTES = len(_VERSION) + KEY_ID_BYTES + _NONCE_BYTES

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class FieldCipher(Protocol):
    """Port: encrypts and decrypts values, and computes keyed fingerprints."""

    def encrypt(self, plain: bytes, context: bytes) -> bytes: ...

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes: ...

    def fingerprint(self, plain: bytes) -> str: ...

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """Key of encrypted values, which contain its `key_id`. `fingerprint_secret` is derived from the same secret."""

    key_id: bytes
    cipher: AESGCM = field(repr=False)
    fingerprint_secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> EncryptionKey:
        """Derive a key from a secret of at least 32 bytes."""
        cipher_key = hashlib.sha256(b"frontdesk sealing" + secret).digest()
        fingerprint_secret = hashlib.sha256(b"frontdesk fingerprints" + secret).digest()
        return cls(hashlib.sha256(secret).digest()[:KEY_ID_BYTES], AESGCM(cipher_key), fingerprint_secret)

    @property
    def kid(self) -> str:
        """The key id in hex, as in file names and messages."""
        return self.key_id.hex()


@dataclass(frozen=True, slots=True)
class AesGcmFieldCipher:
    """Encrypts with `current`; decrypts with `current` or with one of `earlier`, which maps key ids to keys."""

    current: EncryptionKey
    earlier: Mapping[bytes, EncryptionKey] = field(default_factory=dict)

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt `plain` and bind it to `context`. The nonce is random: equal inputs give different outputs."""
        nonce = _NONCE_POOL.next_bytes()
        return _VERSION + self.current.key_id + nonce + self.current.cipher.encrypt(nonce, plain, context)

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes:
        """Decrypt a value that was encrypted for this context.

        Raises:
            ConfigurationError: the key of the value is missing.
            DataError: the value was changed, or belongs to another context.
        """
        header, ciphertext = encrypted[:_HEADER_BYTES], encrypted[_HEADER_BYTES:]
        if len(ciphertext) < _TAG_BYTES or not header.startswith(_VERSION):
            raise DataError("An encrypted value is too short, or its version is unknown.")
        key = self._find_key(read_key_id(encrypted))
        try:
            return key.cipher.decrypt(header[-_NONCE_BYTES:], ciphertext, context)
        except InvalidTag:
            raise DataError("An encrypted value was changed, or belongs to another place.") from None

    def fingerprint(self, plain: bytes) -> str:
        """Return a keyed hash of `plain`. Without the key it cannot be reversed by trying inputs."""
        return _fingerprint(self.current, plain)

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool:
        """Return whether `fingerprint` was made from `plain` with the current or an earlier key."""
        matching_key = next((key for key in self._keys() if fingerprint.startswith(key.key_id.hex())), None)
        return matching_key is not None and hmac.compare_digest(fingerprint, _fingerprint(matching_key, plain))

    def has_key(self, key_id: bytes) -> bool:
        """Return whether the key with this id is available."""
        return key_id == self.current.key_id or key_id in self.earlier

    def _keys(self) -> tuple[EncryptionKey, ...]:
        return (self.current, *self.earlier.values())

    def _find_key(self, key_id: bytes) -> EncryptionKey:
        if key_id == self.current.key_id:
            return self.current
        if (key := self.earlier.get(key_id)) is None:
            raise ConfigurationError(
                f"A value was encrypted with the key {key_id.hex()}, which is missing.",
                hint="Restore the key file with which it was encrypted.",
            )
        return key


class ReloadingFieldCipher:
    """Field cipher with the keys of a folder, which are reloaded every `RELOAD_INTERVAL_S`, a second.

    A value with an unknown key id causes an immediate reload. If a key file cannot be used, a message is logged and the
    previous keys stay in use.
    """

    def __init__(self, folder: Path) -> None:
        self._reloading_ring = ReloadingKeyRing(KeyFiles(folder, KeyPurpose.FIELD_ENCRYPTION))
        self._ring = self._reloading_ring.get_key_ring()
        self._cipher = _build_cipher(self._ring)

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt with the current key; see `AesGcmFieldCipher.encrypt`."""
        return self._current_cipher().encrypt(plain, context)

    def decrypt(self, encrypted: bytes, context: bytes) -> bytes:
        """As `AesGcmFieldCipher.decrypt`, with the same errors; reloads the keys if the key is unknown."""
        cipher = self._current_cipher()
        if not cipher.has_key(read_key_id(encrypted)):
            cipher = self._current_cipher(reload_first=True)
        return cipher.decrypt(encrypted, context)

    def fingerprint(self, plain: bytes) -> str:
        """As `AesGcmFieldCipher.fingerprint`."""
        return self._current_cipher().fingerprint(plain)

    def matches_fingerprint(self, fingerprint: str, plain: bytes) -> bool:
        """As `AesGcmFieldCipher.matches_fingerprint`; if there is no match, reloads the keys and tries again."""
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
    """Return a cipher with the keys in `folder`; sealing.key is created on first use: 32 random bytes, mode 0600.

    All hosts that share a database need the same keys. If a key is lost, the originals that it encrypted are lost, but
    not the masked texts.

    Raises:
        ConfigurationError: a file is readable by group or others, is not base64url text, or has less than 32 bytes.
    """
    return ReloadingFieldCipher(folder)


def read_field_cipher(folder: Path) -> AesGcmFieldCipher:
    """Return a cipher with the present keys of `folder`, for a job during which the current key must not change."""
    return _build_cipher(KeyFiles(folder, KeyPurpose.FIELD_ENCRYPTION).read())


def read_key_id(encrypted: bytes) -> bytes:
    """Return the id of the key with which a value was encrypted."""
    return encrypted[KEY_ID_AT : KEY_ID_AT + KEY_ID_BYTES]


def _build_cipher(ring: KeyRing) -> AesGcmFieldCipher:
    earlier = [EncryptionKey.of(key.secret) for key in ring.others]
    return AesGcmFieldCipher(EncryptionKey.of(ring.active.secret), {key.key_id: key for key in earlier})


def _fingerprint(key: EncryptionKey, plain: bytes) -> str:
    return f"{key.key_id.hex()}:{hmac.new(key.fingerprint_secret, plain, hashlib.sha256).hexdigest()}"
