"""Ways to damage a home so that no server may start on it. Each function returns text that the error must contain."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from frontdesk.security.token_keys import load_signing_key
from model_store.bundle import seal_bundle
from model_store.manifest import FILE_NAME, Manifest
from model_store.promotion import champion_path, promote
from tests.support.serving import SIGNER


def no_champion(home: Path) -> str:
    (home / "bundles" / "champion").unlink()
    return "No model has been promoted yet"


def missing_champion(home: Path) -> str:
    version = champion_path(home / "bundles").name
    shutil.rmtree(home / "bundles" / version)
    return version


def changed_byte(home: Path) -> str:
    file = min((champion_path(home / "bundles") / "members").glob("*.onnx"))
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return f"members/{file.name}"


def missing_file(home: Path) -> str:
    (champion_path(home / "bundles") / "calibration.json").unlink()
    return "calibration.json"


def another_fingerprint(home: Path) -> str:
    _seal_again(home, feature_fingerprint="0" * 64)
    return "another definition of the features"


def another_masking_version(home: Path) -> str:
    _seal_again(home, masking_version="0")
    return "masking version 0"


def other_golden_rows(home: Path) -> str:
    file = champion_path(home / "bundles") / "golden.json"
    golden = json.loads(file.read_text())
    golden["expected"]["fp32"]["intent"][0][0] += 0.5
    file.write_text(json.dumps(golden))
    _seal_again(home)
    return "golden rows"


def world_readable_key(home: Path) -> str:
    load_signing_key(home / "keys")
    key = home / "keys" / "signing.key"
    key.chmod(0o644)
    return str(key)


def _seal_again(home: Path, **changes: str) -> None:
    """Promote a copy of the champion that is sealed correctly but has a changed manifest."""
    path = champion_path(home / "bundles")
    manifest = dataclasses.replace(Manifest.read(path), **changes)
    (path / FILE_NAME).unlink()
    bundle = seal_bundle(path, manifest)
    SIGNER.sign(bundle.path)
    promote(home / "bundles", bundle.version)


DAMAGES = (
    no_champion,
    missing_champion,
    changed_byte,
    missing_file,
    another_fingerprint,
    another_masking_version,
    other_golden_rows,
    world_readable_key,
)
