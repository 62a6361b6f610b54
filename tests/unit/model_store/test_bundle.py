"""Any change after sealing is refused, and the error names the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from model_store.bundle import Bundle, open_bundle
from model_store.manifest import SIGNATURE, Manifest


def files(folder: Path) -> list[str]:
    """Sealed files; the signature is not one."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in paths if name != SIGNATURE)


def test_a_sealed_bundle_opens(tiny_bundle: Bundle) -> None:
    bundle = open_bundle(tiny_bundle.path)
    assert bundle.version == tiny_bundle.path.name
    assert len(bundle.taxonomy().labels) == 27


def test_one_changed_byte_in_any_file_is_refused_by_its_name(copied_bundle: Path) -> None:
    for name in files(copied_bundle):
        path = copied_bundle / name
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(BundleError) as refused:
            open_bundle(copied_bundle)
        expected = ("version", "manifest.json", "format") if name == "manifest.json" else (name,)
        assert refused.value.field in expected
        path.write_bytes(content)
    open_bundle(copied_bundle)


def test_any_changed_byte_of_the_manifest_is_refused(copied_bundle: Path) -> None:
    """Positions throughout the file, not only the middle: blanks and numbers count as much as hashes."""
    path = copied_bundle / "manifest.json"
    content = path.read_bytes()
    for position in range(0, len(content), max(1, len(content) // 300)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(BundleError):
            Manifest.read(copied_bundle)


def test_a_missing_file_is_refused_by_its_name(copied_bundle: Path) -> None:
    for name in files(copied_bundle):
        path = copied_bundle / name
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BundleError) as refused:
            open_bundle(copied_bundle)
        assert refused.value.field == name
        path.write_bytes(content)


def test_a_file_that_does_not_belong_is_refused(copied_bundle: Path) -> None:
    (copied_bundle / "members" / "extra.onnx").write_bytes(b"x")
    with pytest.raises(BundleError) as refused:
        open_bundle(copied_bundle)
    assert refused.value.field == "members/extra.onnx"


def test_a_manifest_from_before_there_were_reserves_keeps_its_version(tiny_bundle: Bundle) -> None:
    """`tiny_bundle` has no encoders, hence no fallback ensembles: its manifest has no field for them."""
    assert "reserves" not in json.loads((tiny_bundle.path / "manifest.json").read_text())
    assert Manifest.read(tiny_bundle.path).reserves == {}


def test_reserves_are_part_of_the_version(tiny_bundle: Bundle) -> None:
    reserves = {"without_encoders": ["xgboost"]}
    assert replace(tiny_bundle.manifest, reserves=reserves).sealed().version != tiny_bundle.version


def test_another_format_is_refused_with_both_numbers(copied_bundle: Path) -> None:
    path = copied_bundle / "manifest.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format": 99}))
    with pytest.raises(BundleError, match=r"99.*reads 2"):
        open_bundle(copied_bundle)


def test_a_folder_that_is_not_there_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="frontdesk train"):
        open_bundle(tmp_path / "none")
