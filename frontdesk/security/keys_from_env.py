"""Keys that come with the environment, for hosts that share a database: they are put where keys are read from.

    FRONTDESK_SIGNING_KEY, FRONTDESK_SEALING_KEY   the key in use, then, behind commas, others that still count
    FRONTDESK_AUDIT_KEY, FRONTDESK_ERASURE_KEY     one key for as long as the database lives

Each is at least 32 bytes in base64url. What the environment names comes into use; a key that it names no longer stays
beside it until it is retired. Files stay the one place from which keys are read.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

from frontdesk.errors import ConfigurationError
from frontdesk.security.key_store import (
    AUDIT_KEY_FILE,
    ERASURE_KEY_FILE,
    KeyFiles,
    KeyPurpose,
    decode_secret,
    ensure_secret,
    read_secret,
)

ROTATED_KEYS = {"FRONTDESK_SIGNING_KEY": KeyPurpose.SIGNING, "FRONTDESK_SEALING_KEY": KeyPurpose.FIELD_ENCRYPTION}
PERMANENT_KEYS = {"FRONTDESK_AUDIT_KEY": AUDIT_KEY_FILE, "FRONTDESK_ERASURE_KEY": ERASURE_KEY_FILE}


def install_keys_from_env(folder: Path, environment: Mapping[str, str]) -> None:
    """Make the files of `folder` agree with the environment; nothing is written where they do, or where it has no keys.

    Raises:
        ConfigurationError: a variable holds no key, the folder cannot be written to, or it has another audit or
            erasure key.
    """
    for variable, purpose in ROTATED_KEYS.items():
        if value := environment.get(variable):
            _activate(KeyFiles(folder, purpose), [_decode_key(variable, part) for part in value.split(",")])
    for variable, name in PERMANENT_KEYS.items():
        if value := environment.get(variable):
            _require_same_key(folder / name, _decode_key(variable, value), variable)


def _activate(files: KeyFiles, keys: list[bytes]) -> None:
    files.set_first_key(keys[0])
    stored = [files.add(key) for key in keys]
    files.rotate(stored[0].kid)


def _require_same_key(path: Path, key: bytes, variable: str) -> None:
    ensure_secret(path, key)
    if not hmac.compare_digest(read_secret(path), key):
        raise ConfigurationError(
            f"{path} holds another key than {variable}.",
            hint="What was written with one cannot be checked with the other: give all hosts the key of the file.",
        )


def _decode_key(variable: str, value: str) -> bytes:
    return decode_secret(
        value.encode(), variable, "Write 32 random bytes in base64url: openssl rand -base64 32 | tr +/ -_"
    )
