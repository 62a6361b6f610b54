"""Write keys from environment variables to key files, for hosts that share a database.

    FRONTDESK_SIGNING_KEY, FRONTDESK_SEALING_KEY   the key in use, then other valid keys, separated by commas
    FRONTDESK_AUDIT_KEY, FRONTDESK_ERASURE_KEY     one key for the lifetime of the database

Each key has at least 32 bytes, in base64url. The first key of a variable becomes the key in use. A key that is removed
from the variable remains valid until it is retired. Keys are read from the files only.
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
    """Write the keys of the environment to `folder`, if they differ from its files.

    Raises:
        ConfigurationError: a variable contains an invalid key, the folder cannot be written to, or it has another
            audit or erasure key.
    """
    for variable, purpose in ROTATED_KEYS.items():
        if value := environment.get(variable):
            _add_keys_and_use_first(
                KeyFiles(folder, purpose), [_decode_key(variable, part) for part in value.split(",")]
            )
    for variable, name in PERMANENT_KEYS.items():
        if value := environment.get(variable):
            _install_permanent_key(folder / name, _decode_key(variable, value), variable)


def _add_keys_and_use_first(files: KeyFiles, keys: list[bytes]) -> None:
    files.set_first_key(keys[0])
    stored = [files.add(key) for key in keys]
    files.rotate(stored[0].kid)


def _install_permanent_key(path: Path, key: bytes, variable: str) -> None:
    ensure_secret(path, key)
    if not hmac.compare_digest(read_secret(path), key):
        raise ConfigurationError(
            f"{path} contains another key than {variable}.",
            hint="Data written with one key cannot be checked with the other: give all hosts the key of the file.",
        )


def _decode_key(variable: str, value: str) -> bytes:
    return decode_secret(
        value.encode(), variable, "Write 32 random bytes in base64url: openssl rand -base64 32 | tr +/ -_"
    )
