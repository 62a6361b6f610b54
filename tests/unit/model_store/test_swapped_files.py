"""A file that is swapped between the verification of a bundle and its use is detected: the bytes read are hashed."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import model_store.signature
from frontdesk.errors import BundleError
from model_store.bundle import Bundle, open_bundle, seal_bundle
from model_store.manifest import FILE_NAME, Manifest
from model_store.signature import Signer, load_signer, open_signed
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble
from training.data.held_out import read_held_out

LOADERS: dict[str, Callable[[Bundle], object]] = {
    "taxonomy.json": Bundle.taxonomy,
    "held_out.jsonl": read_held_out,
    "calibration.json": Ensemble.load,
    "features/vocabulary.json": Ensemble.load,
    "features/projection.npz": Ensemble.load,
    "members/xgboost.intent.onnx": Ensemble.load,
    "members/logistic_regression.onnx": Ensemble.load,
    "meta/intent.onnx": Ensemble.load,
    "golden.json": lambda bundle: load_warm_ensemble(bundle, 1),
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_that_is_swapped_after_the_verification_is_not_used(copied_bundle: Path, name: str) -> None:
    bundle = open_bundle(copied_bundle)
    content = (copied_bundle / name).read_bytes()
    (copied_bundle / name).write_bytes(
        content + b"\n" if name.endswith("json") else content[:-1] + bytes([content[-1] ^ 1])
    )
    with pytest.raises(BundleError) as refused:
        LOADERS[name](bundle)
    assert refused.value.field == name
    assert "not the file that was verified" in refused.value.message


def test_every_model_file_of_a_bundle_with_encoders_is_verified_when_it_is_loaded(
    encoder_bundle: Bundle, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(encoder_bundle.path, tmp_path / encoder_bundle.version))
    bundle = open_bundle(folder)
    for name in ("members/distilbert.onnx", "members/distilbert.tokenizer.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b"\n")
        with pytest.raises(BundleError) as refused:
            Ensemble.load(bundle)
        assert refused.value.field == name
        (folder / name).write_bytes(content)
    Ensemble.load(bundle)


def test_a_manifest_that_is_swapped_between_its_hashes_and_its_signature_does_not_pass(
    copied_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack on a second read of the manifest: first the attacker's hashes, then the manifest that was signed."""
    keys = tmp_path / "keys"
    load_signer(keys).sign(copied_bundle)
    right = (copied_bundle / FILE_NAME).read_bytes()
    (copied_bundle / "taxonomy.json").write_bytes((copied_bundle / "taxonomy.json").read_bytes() + b"\n")
    attacker = _sealed_again(copied_bundle, right)

    def open_and_swap(folder: Path) -> Bundle:
        opened = open_bundle(folder)
        (folder / FILE_NAME).write_bytes(right)
        return opened

    monkeypatch.setattr(model_store.signature, "open_bundle", open_and_swap)
    with pytest.raises(BundleError, match="not of this bundle"):
        open_signed(attacker, keys, ())


def _sealed_again(folder: Path, manifest: bytes) -> Path:
    """Return the folder with changed files, sealed again without a trusted key."""
    (folder / FILE_NAME).write_bytes(manifest)
    read = Manifest.read(folder)
    (folder / FILE_NAME).unlink()
    return seal_bundle(folder, read).path


def test_a_manifest_that_is_swapped_before_the_promotion_is_not_signed(copied_bundle: Path, tmp_path: Path) -> None:
    """The manifest that passed the promotion gate is signed."""
    judged = open_bundle(copied_bundle)
    other = dataclasses.replace(judged.manifest, code_version="changed").sealed()
    (copied_bundle / FILE_NAME).write_bytes(other.canonical())
    Signer(b"k" * 32).sign(copied_bundle, judged.manifest)
    with pytest.raises(BundleError, match="not of this bundle"):
        open_signed(copied_bundle, tmp_path / "keys", (Signer(b"k" * 32).public,))
