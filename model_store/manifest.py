"""manifest.json: the description of a bundle, in a canonical form.

The file must equal its canonical form, and the version ends with the hash of everything else in it. A manifest with any
change therefore does not match its own version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from frontdesk.errors import BundleError

FORMAT = 2
FILE_NAME = "manifest.json"
SIGNATURE = "manifest.sig"
"""Not sealed, because it is added when a bundle is promoted (`signature.py`)."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Labels in column order, origin of the bundle, its metrics, and the SHA-256 of each file.

    `reserves` are the fallback ensembles, each with its base models. It is empty for a bundle without encoders, and
    missing in manifests that are older than the field.
    """

    version: str
    created_at: str
    code_version: str
    profile: str
    intents: tuple[str, ...]
    sentiments: tuple[str, ...]
    members: tuple[str, ...]
    candidates_per_member: int
    masking_version: str
    feature_fingerprint: str
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    files: Mapping[str, str]
    format: int = FORMAT
    reserves: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def canonical(self) -> bytes:
        content = {key: value for key, value in asdict(self).items() if value or key != "reserves"}
        return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()

    def sealed(self) -> Manifest:
        """This manifest with its version: the day of its creation and 12 digits of its hash."""
        day = self.created_at[:10].replace("-", "")
        digest = hashlib.sha256(replace(self, version="").canonical()).hexdigest()
        return replace(self, version=f"{day}-{digest[:12]}")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read and verify `folder`/manifest.json.

        Raises:
            BundleError: names the invalid field; the file is missing, damaged, edited or of another format.
        """
        try:
            raw = (folder / FILE_NAME).read_bytes()
        except FileNotFoundError:
            raise BundleError(f"{folder.name} has no {FILE_NAME}.", field=FILE_NAME, hint=_HINT) from None
        try:
            data = json.loads(raw)
            stored_format = data["format"]
        except (ValueError, TypeError, KeyError):
            raise BundleError(f"{FILE_NAME} of {folder.name} is not a manifest.", field=FILE_NAME, hint=_HINT) from None
        if stored_format != FORMAT:
            raise BundleError(
                f"{folder.name} has bundle format {stored_format}; this version of Frontdesk reads {FORMAT}.",
                field="format",
                hint="Train again with this version.",
            )
        try:
            fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
            manifest = cls(**fields)
        except TypeError as error:
            raise BundleError(f"{FILE_NAME} of {folder.name}: {error}.", field=FILE_NAME, hint=_HINT) from None
        if manifest.canonical() != raw or manifest.sealed().version != manifest.version:
            raise BundleError(
                f"{FILE_NAME} of {folder.name} was changed after it was sealed: its content no longer gives the "
                f"version {manifest.version}.",
                field="version",
                hint=_HINT,
            )
        return manifest


_HINT = "Restore the bundle from its registry, or train again with: frontdesk train"
