"""A bundle folder: sealed once, and verified each time it is opened.

<version>/
    manifest.sig        signature, added when the bundle is promoted
    manifest.json       labels, fingerprint, metrics, SHA-256 of each file
    taxonomy.json       meaning and policy of each intent
    features/           vocabulary and projection
    members/            ONNX graphs of the base models
    curves/             loss and learning rate of each encoder, by step
    meta/               ONNX graphs and LightGBM text files of the meta-learners
    calibration.json    calibrators and thresholds
    reserves/<name>/    meta-learner and calibration of a fallback ensemble, for unavailable encoders
    golden.json         golden rows, which warm-up must reproduce
    held_out.jsonl      masked test rows with labels, for comparisons with other bundles
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from frontdesk.errors import BundleError
from frontdesk.taxonomy import Taxonomy
from frontdesk.verified_files import VerifiedFile
from model_store.manifest import FILE_NAME, SIGNATURE, Manifest

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle. When it was opened, the folder contained all files of the manifest, unchanged, and no others.

    Load from `files`, because a file may have changed since. `signature` is the verified line of manifest.sig, empty
    for a bundle that was opened without a signature.
    """

    path: Path
    manifest: Manifest
    signature: str = ""

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def files(self) -> VerifiedFile:
        """The folder. Each file is compared with the hash in the manifest when it is read."""
        return VerifiedFile(self.path, self.manifest.files)

    def taxonomy(self) -> Taxonomy:
        return Taxonomy.from_mapping(json.loads((self.files / "taxonomy.json").read_bytes()), source="taxonomy.json")


def open_bundle(path: Path) -> Bundle:
    """Verify a bundle and open it.

    Raises:
        BundleError: names the missing, changed or unexpected file, or the invalid manifest field.
    """
    if not path.is_dir():
        raise BundleError(f"There is no bundle at {path}.", field="path", hint="Train one with: frontdesk train")
    manifest = Manifest.read(path)
    hashes = file_hashes(path)
    for name, expected in manifest.files.items():
        if name not in hashes:
            raise BundleError(f"{name} is missing from bundle {manifest.version}.", field=name, hint=_HINT)
        if hashes[name] != expected:
            raise BundleError(
                f"{name} of bundle {manifest.version} was changed after it was sealed.", field=name, hint=_HINT
            )
    if extra := sorted(set(hashes) - set(manifest.files)):
        raise BundleError(f"{extra[0]} does not belong to bundle {manifest.version}.", field=extra[0], hint=_HINT)
    return Bundle(path, manifest)


def seal_bundle(folder: Path, manifest: Manifest) -> Bundle:
    """Hash every file in `folder`, write its manifest, and rename the folder to the version.

    Sets `manifest.version` and `manifest.files`. An existing bundle of that version is not overwritten.
    """
    sealed = replace(manifest, files=file_hashes(folder)).sealed()
    (folder / FILE_NAME).write_bytes(sealed.canonical())
    target = folder.parent / sealed.version
    folder.rename(target)
    return Bundle(target, sealed)


def file_hashes(folder: Path) -> Mapping[str, str]:
    """SHA-256 of every file in `folder` except the manifest and its signature, by its relative path with slashes."""
    hashes = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if name in (FILE_NAME, SIGNATURE):
            continue
        digest = hashlib.sha256()
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        hashes[name] = digest.hexdigest()
    return hashes


_HINT = "Restore the bundle from its registry, or train again with: frontdesk train"
