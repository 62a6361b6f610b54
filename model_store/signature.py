"""Signatures of bundles: a promotion signs the bundle, and a server loads only bundles signed with a trusted key.

The hashes in `manifest.json` detect accidental changes only: an attacker with write access can seal a bundle again. The
signature (Ed25519 over the manifest) proves whose key approved it. A machine trusts its own key, created on first run
under <home>/keys, and the public keys in `security.bundle_keys`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from frontdesk.errors import BundleError, ConfigurationError
from frontdesk.private_files import replace_file
from frontdesk.security.key_store import BUNDLE_KEY_FILE, KEY_BYTES, load_or_create_secret
from model_store.bundle import Bundle, open_bundle
from model_store.manifest import SIGNATURE, Manifest

_CONTEXT = b"frontdesk bundle v1\x00"
"""Domain separation: a signature for another purpose is never valid for a bundle."""


class Signer:
    """The key pair of this machine. `public` is the value for `security.bundle_keys` on other machines."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret[:KEY_BYTES])
        self.public = base64.urlsafe_b64encode(self._key.public_key().public_bytes_raw()).decode().rstrip("=")

    def sign(self, folder: Path, manifest: Manifest | None = None) -> None:
        """Sign the bundle in `folder`, so that it may be served.

        `manifest` is that of the bundle as it was opened and verified; by default the manifest in `folder` is signed.
        """
        signed_manifest = manifest or Manifest.read(folder)
        signature = self._key.sign(_CONTEXT + signed_manifest.canonical())
        line = f"{self.public} {base64.urlsafe_b64encode(signature).decode()}\n"
        # A draft within the folder would make the bundle invalid.
        with replace_file(folder / SIGNATURE, temporary_folder=folder.parent) as file:
            file.write(line.encode("ascii"))


def load_signer(keys: Path) -> Signer:
    """The key pair in the folder `keys`, created on first run with mode 0600.

    Raises:
        ConfigurationError: the file can be read by group or others, or is damaged.
    """
    return Signer(load_or_create_secret(keys / BUNDLE_KEY_FILE))


def open_signed(folder: Path, keys: Path, trusted: Iterable[str]) -> Bundle:
    """Verify a bundle and its signature, and open it.

    The manifest is read once. The signature covers its canonical form, which equals the file byte for byte.

    Args:
        folder: the bundle's folder.
        keys: the folder with the keys of this machine.
        trusted: other trusted public keys.

    Raises:
        BundleError: as `open_bundle`; or it is not signed, or not with a trusted key, or its manifest is not what was
            signed.
        ConfigurationError: a key is malformed.
    """
    bundle = open_bundle(folder)
    content = _CONTEXT + bundle.manifest.canonical()
    try:
        line = (folder / SIGNATURE).read_text(encoding="ascii")
        key, signature = line.split()
        signature_bytes = base64.urlsafe_b64decode(signature)
    except FileNotFoundError:
        raise _untrusted(f"The bundle {bundle.version} is not signed.", bundle.version) from None
    except ValueError:
        raise _untrusted(f"{SIGNATURE} of the bundle {bundle.version} is damaged.", bundle.version) from None
    if key not in {load_signer(keys).public, *trusted}:
        raise _untrusted(f"The bundle {bundle.version} is signed with a key that is not trusted here.", bundle.version)
    try:
        public_key(key).verify(signature_bytes, content)
    except InvalidSignature:
        raise _untrusted(
            f"The signature of the bundle {bundle.version} is not of this bundle.", bundle.version
        ) from None
    return replace(bundle, signature=line)


def public_key(text: str) -> Ed25519PublicKey:
    """Parse a key in the form of `Signer.public`.

    Raises:
        ConfigurationError: the key is malformed.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise ConfigurationError("security.bundle_keys contains an invalid public key.") from None


def _untrusted(message: str, version: str) -> BundleError:
    return BundleError(
        message,
        field=SIGNATURE,
        hint=f"If you trust it: frontdesk promote {version}, or frontdesk keys sign FOLDER outside of this home. "
        "If another machine of yours signed it, add its key (frontdesk keys bundle) to security.bundle_keys.",
    )
