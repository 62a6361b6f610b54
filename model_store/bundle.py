"""A bundle directory: sealed once, verified whenever it is opened.

<version>/
    manifest.sig        who let it be served, once it was promoted
    manifest.json       labels, fingerprint, figures, SHA-256 of each file
    taxonomy.json       what the intents mean and what is allowed for them
    features/           vocabulary and projection
    members/            ONNX graphs of the base models
    curves/             loss and learning rate of each encoder, step by step
    meta/               ONNX graphs and LightGBM text of the candidate scorers
    calibration.json    calibrators and thresholds
    reserves/<name>/    scorers and calibration of their own for when encoders are away
    golden.json         rows that warm-up must reproduce
    held_out.jsonl      masked test rows with their labels: what a comparison with another bundle runs on
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
    """A verified bundle: when it was opened, the folder held every file of the manifest, unchanged, and no other file.

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
        """The folder; each file is compared with the hash in the manifest when it is read."""
        return VerifiedFile(self.path, self.manifest.files)

    def taxonomy(self) -> Taxonomy:
        return Taxonomy.from_mapping(json.loads((self.files / "taxonomy.json").read_bytes()), source="taxonomy.json")


def open_bundle(path: Path) -> Bundle:
    """Verify a bundle and open it.

    Raises:
        BundleError: naming the file that is missing, changed or unexpected, or the manifest field that is wrong.
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
    """Hash every file in `folder`, write its manifest, and name the folder after its version.

    `manifest.version` and `manifest.files` are filled in here. A bundle of that version that is already there is kept.
    """
    sealed = replace(manifest, files=file_hashes(folder)).sealed()
    (folder / FILE_NAME).write_bytes(sealed.canonical())
    target = folder.parent / sealed.version
    folder.rename(target)
    return Bundle(target, sealed)


def file_hashes(folder: Path) -> Mapping[str, str]:
    """SHA-256 of every file below `folder` but the manifest and its signature, by its path with forward slashes."""
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
