"""Key store: secret keys in files that only their owner can read, created on first use.

    <keys>/signing.key         the key in use; sealing.key for field encryption
    <keys>/signing-<kid>.key   not in use: an older key until it is retired, or a new one before it is used
    <keys>/audit.key           and other `*_KEY_FILE`: one key each, never rotated

All code that creates, reads, rotates or validates a key file uses this module. Does not know what keys are used for.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from frontdesk.errors import ConfigurationError
from frontdesk.private_files import (
    UnsafeFileOwnershipError,
    explain_unsafe_folder,
    explain_unsafe_path,
    is_trusted_owner,
    open_secret,
)

KEY_BYTES = 32
"""Length of a key: the output length of the hash (RFC 7518, section 3.2, for HS256)."""

RELOAD_INTERVAL_S = 1.0

AUDIT_KEY_FILE = "audit.key"
BUNDLE_KEY_FILE = "bundle.key"
ERASURE_KEY_FILE = "erasure.key"
LLM_KEY_FILE = "llm.key"
"""Each file holds one key, which is never rotated."""

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class KeyPurpose(StrEnum):
    """Uses of keys that are rotated: several keys exist, and one of them is in use."""

    SIGNING = "signing"
    FIELD_ENCRYPTION = "sealing"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret of at least 32 bytes. `kid` is the first 8 hex digits of its SHA-256."""

    kid: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Self:
        return cls(hashlib.sha256(secret).hexdigest()[:8], secret)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key in use (`active`), and all other keys."""

    active: SecretKey
    others: tuple[SecretKey, ...] = ()

    def find(self, kid: str) -> SecretKey | None:
        return next((key for key in (self.active, *self.others) if key.kid == kid), None)


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The key files of one purpose in `folder`. Processes that start at the same time get the same keys."""

    folder: Path
    purpose: KeyPurpose

    def active(self) -> SecretKey:
        """Return the key in use; create it on first use: folder 0700, file 0600, 32 random bytes in base64url.

        Raises:
            ConfigurationError: the file belongs to another user, can be read by group or others or replaced by them,
                is not base64url text, has less than 32 bytes, or does not exist and cannot be created.
        """
        return SecretKey.of(load_or_create_secret(self._active_path))

    def read(self) -> KeyRing:
        """Return all keys. Untrusted files of keys that are not in use are skipped and logged as errors.

        Raises:
            ConfigurationError: as `active`, for the key in use and for each trusted file.
        """
        active = self.active()
        others = {key.kid: key for key in self._read_other_keys() if key.kid != active.kid}
        return KeyRing(active, tuple(others.values()))

    def read_usable(self, previous: KeyRing | None = None) -> tuple[KeyRing, tuple[str, ...]]:
        """Return the usable keys, and one sentence for each file that cannot be read.

        A key that is not in use and whose file cannot be read is copied from `previous`, or skipped if it is not there:
        one damaged file must not disable the other keys.

        Raises:
            ConfigurationError, OSError: the key in use cannot be read, or the folder cannot be listed.
        """
        active, problems = self.active(), []
        others: dict[str, SecretKey] = {}
        for path in sorted(self.folder.glob(f"{self.purpose}-*.key")):
            try:
                key: SecretKey | None = SecretKey.of(read_secret(path))
            except FileNotFoundError:  # retired since it was listed
                continue
            except (ConfigurationError, OSError) as error:
                problems.append(str(error))
                kid = path.name.removeprefix(f"{self.purpose}-").removesuffix(".key")
                key = previous.find(kid) if previous else None
            if key is not None and key.kid != active.kid:
                others[key.kid] = key
        return KeyRing(active, tuple(others.values())), tuple(problems)

    def set_first_key(self, secret: bytes) -> None:
        """Use this key if none is in use yet; otherwise do nothing."""
        ensure_secret(self._active_path, secret)

    def add(self, secret: bytes | None = None) -> SecretKey:
        """Add a key, by default a new one, without using it, so that it can be copied to other machines first."""
        key, ring = SecretKey.of(secret or secrets.token_bytes(KEY_BYTES)), self.read()
        if ring.find(key.kid) is None:
            write_secret(self._key_path(key.kid), key.secret)
        return key

    def rotate(self, kid: str | None = None) -> SecretKey:
        """Use the key `kid`, by default a new key. The previous key remains available.

        Raises:
            ConfigurationError: there is no key `kid`.
        """
        ring = self.read()
        next_key = self._require_key(ring, kid) if kid else self.add()
        if next_key == ring.active:
            return next_key
        with contextlib.suppress(FileExistsError):
            os.link(self._active_path, self._key_path(ring.active.kid))
        temporary = _temporary_path(self._active_path)
        os.link(self._key_path(next_key.kid), temporary)
        temporary.replace(self._active_path)
        self._key_path(next_key.kid).unlink()
        return next_key

    def retire(self, kid: str) -> None:
        """Delete a key.

        Raises:
            ConfigurationError: there is no key `kid`, or it is in use.
        """
        ring = self.read()
        if self._require_key(ring, kid) == ring.active:
            raise ConfigurationError(f"The key {kid} is in use.", hint="Use another one first: frontdesk keys rotate")
        self._key_path(kid).unlink()

    def inactive_s(self, kid: str) -> float:
        """Return for how many seconds a key has not been in use: the age of its present file name (ctime)."""
        return time.time() - self._key_path(kid).stat().st_ctime

    def file_state(self) -> frozenset[tuple[str, int, int, int, int]]:
        """Return names, inodes, owners, modes and times of the files, to detect replaced files and changed modes."""
        file_state = set()
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.startswith(self.purpose) and entry.name.endswith(".key"):
                    with contextlib.suppress(OSError):  # retired since it was listed, or a link to nothing
                        status = entry.stat()
                        file_state.add((entry.name, status.st_ino, status.st_uid, status.st_mode, status.st_mtime_ns))
        return frozenset(file_state)

    @property
    def _active_path(self) -> Path:
        return self.folder / f"{self.purpose}.key"

    def _key_path(self, kid: str) -> Path:
        return self.folder / f"{self.purpose}-{kid}.key"

    def _read_other_keys(self) -> Iterator[SecretKey]:
        for path in sorted(self.folder.glob(f"{self.purpose}-*.key")):
            with contextlib.suppress(FileNotFoundError):  # retired since it was listed
                if not is_trusted_owner(owner := path.lstat().st_uid):
                    _log.error("The key file %s belongs to another user (uid %d): it is not used.", path, owner)
                    continue
                try:
                    yield SecretKey.of(read_secret(path))
                except UnsafeFileOwnershipError as error:
                    _log.error("A key file is not used: %s", error)

    def _require_key(self, ring: KeyRing, kid: str) -> SecretKey:
        if (key := ring.find(kid)) is None:
            raise ConfigurationError(f"There is no key {kid}.", hint="See: frontdesk keys list")
        return key


class ReloadingKeyRing:
    """The keys of a folder, reloaded every `RELOAD_INTERVAL_S`.

    A file that cannot be read is logged once and skipped. If the key in use or the folder cannot be read, the previous
    keys stay in use. The next reload tries again.

    Raises:
        ConfigurationError: on construction, if the key in use cannot be read.
    """

    def __init__(self, files: KeyFiles) -> None:
        self._files = files
        self._problems: tuple[str, ...] = ()
        self._ring, problems = files.read_usable()
        self._file_state = files.file_state()
        self._reload_at = time.monotonic() + RELOAD_INTERVAL_S
        self._log_problems(problems)

    def get_key_ring(self) -> KeyRing:
        if time.monotonic() >= self._reload_at:
            self.reload()
        return self._ring

    def reload(self) -> bool:
        """Read the files now; return whether anything changed since the last time."""
        self._reload_at = time.monotonic() + RELOAD_INTERVAL_S
        try:
            file_state = self._files.file_state()
            if file_state == self._file_state and not self._problems:
                return False
            ring, problems = self._files.read_usable(self._ring)
        except (ConfigurationError, OSError) as error:
            self._log_problems((f"{error} The previous {self._files.purpose} keys stay in use.",))
            return False
        has_changed = (ring, file_state) != (self._ring, self._file_state)
        if ring != self._ring:
            self._ring = ring
        self._file_state = file_state
        self._log_problems(problems)
        return has_changed

    def _log_problems(self, problems: tuple[str, ...]) -> None:
        """Log each problem once, until it disappears."""
        for problem in problems:
            if problem not in self._problems:
                _log.warning("A %s key cannot be used: %s", self._files.purpose, problem)
        self._problems = problems


def load_or_create_secret(path: Path) -> bytes:
    """Return the secret in `path`; if the file is missing, create it with 32 random bytes.

    Raises:
        ConfigurationError: as `read_secret`, or the file cannot be created.
    """
    ensure_secret(path)
    return read_secret(path)


def ensure_secret(path: Path, secret: bytes | None = None) -> None:
    """Write `secret`, by default 32 random bytes, unless the file exists.

    Raises:
        ConfigurationError: as `write_secret`.
    """
    if not path.exists():  # a folder with all keys may be read-only
        write_secret(path, secret or secrets.token_bytes(KEY_BYTES))


def write_secret(path: Path, secret: bytes) -> None:
    """Write a temporary file, then link it to `path`: the first writer wins, and no process reads a partial file.

    Raises:
        ConfigurationError: the folder cannot be written to, or others can write to it.
    """
    temporary = _temporary_path(path)
    try:
        problem = explain_unsafe_path(path.parent)
        if problem is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            problem = explain_unsafe_folder(path.parent) or explain_unsafe_path(path.parent)
        if problem is not None:
            raise UnsafeFileOwnershipError(
                f"The key {path} is not created: {problem}.", hint=f"Run: chmod 700 {path.parent}"
            )
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"The key {path} does not exist and cannot be created: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secret).rstrip(b"=") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its key is used by all
    finally:
        temporary.unlink()


def read_secret(path: Path) -> bytes:
    """Return the secret in a file of `write_secret`, at least 32 bytes.

    Raises:
        UnsafeFileOwnershipError: the file belongs to another user, or another user could have replaced it.
        ConfigurationError: the file is readable by group or others, is not base64url text, or has less than 32 bytes.
        FileNotFoundError: the file does not exist.
    """
    with open_secret(path, f"The key {path}") as file:
        text = file.read()
    return decode_secret(text, f"The key {path}", "Move the file away: a new key is created at the next start.")


def decode_secret(text: bytes, name: str, hint: str) -> bytes:
    """Decode a secret of at least 32 bytes from base64url, with or without padding.

    Raises:
        ConfigurationError: the text is malformed or too short, or repeats one byte. The message starts with `name`.
    """
    text = text.strip()
    try:
        secret = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ConfigurationError(f"{name} is not base64url text.", hint=hint) from None
    if len(secret) < KEY_BYTES:
        raise ConfigurationError(f"{name} has {len(secret)} bytes; it needs {KEY_BYTES}.", hint=hint)
    if len(set(secret)) == 1:
        raise ConfigurationError(f"{name} repeats one byte: it is not a secret.", hint=hint)
    return secret


def _temporary_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
