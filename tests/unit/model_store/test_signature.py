"""A promoted bundle is signed; a bundle without a trusted signature is refused."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from frontdesk.errors import BundleError, ConfigurationError
from frontdesk.security.key_store import BUNDLE_KEY_FILE
from model_store.bundle import open_bundle, seal_bundle
from model_store.manifest import FILE_NAME, SIGNATURE, Manifest
from model_store.signature import Signer, load_signer, open_signed, public_key

OTHER = Signer(b"o" * 32)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def unsigned(copied_bundle: Path) -> Path:
    (copied_bundle / SIGNATURE).unlink()
    return copied_bundle


def refused(folder: Path, keys: Path, *trusted: str) -> str:
    with pytest.raises(BundleError) as error:
        open_signed(folder, keys, trusted)
    assert error.value.field == SIGNATURE
    assert "frontdesk promote" in error.value.hint
    return error.value.message


def test_a_bundle_that_this_machine_signed_is_opened(unsigned: Path, keys: Path) -> None:
    load_signer(keys).sign(unsigned)
    assert open_signed(unsigned, keys, ()).manifest == open_bundle(unsigned).manifest
    assert stat.S_IMODE((keys / BUNDLE_KEY_FILE).stat().st_mode) == 0o600
    assert load_signer(keys).public == load_signer(keys).public


def test_an_unsigned_bundle_is_refused_with_a_hint(unsigned: Path, keys: Path) -> None:
    assert "is not signed" in refused(unsigned, keys)


def test_a_bundle_of_another_machine_is_opened_if_its_key_is_trusted(unsigned: Path, keys: Path) -> None:
    OTHER.sign(unsigned)
    assert "not trusted" in refused(unsigned, keys)
    assert open_signed(unsigned, keys, (OTHER.public,)).path == unsigned


def test_a_signature_does_not_fit_another_bundle_sealed_by_the_same_rules(unsigned: Path, keys: Path) -> None:
    load_signer(keys).sign(unsigned)
    manifest = dataclasses.replace(Manifest.read(unsigned), code_version="changed")
    (unsigned / FILE_NAME).unlink()
    other = seal_bundle(unsigned, manifest)
    assert "not of this bundle" in refused(other.path, keys)


def test_a_signature_under_the_name_of_a_trusted_key_is_refused(unsigned: Path, keys: Path) -> None:
    OTHER.sign(unsigned)
    signature = (unsigned / SIGNATURE).read_text()
    (unsigned / SIGNATURE).write_text(signature.replace(OTHER.public, load_signer(keys).public))
    assert "not of this bundle" in refused(unsigned, keys)


@pytest.mark.parametrize("content", [b"", b"one", b"a b c", b"\xff \xff", b"x !"])
def test_a_damaged_signature_is_refused(unsigned: Path, keys: Path, content: bytes) -> None:
    (unsigned / SIGNATURE).write_bytes(content)
    refused(unsigned, keys)


def test_a_changed_file_is_refused_despite_a_signature(unsigned: Path, keys: Path) -> None:
    load_signer(keys).sign(unsigned)
    (unsigned / "taxonomy.json").write_text("{}")
    with pytest.raises(BundleError, match=r"taxonomy\.json"):
        open_signed(unsigned, keys, ())


@pytest.mark.parametrize("text", ["", "short", "!!", "ü"])
def test_a_malformed_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="bundle_keys"):
        public_key(text)
