"""Hosts with the same keys in their environment can read the data of each other."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from frontdesk.audit.chain import load_audit_key
from frontdesk.config import KEY_VARIABLES
from frontdesk.errors import ConfigurationError
from frontdesk.security.field_encryption import open_field_cipher, read_field_cipher
from frontdesk.security.keys_from_env import PERMANENT_KEYS, ROTATED_KEYS, install_keys_from_env
from frontdesk.security.pseudonyms import load_pseudonym_key
from frontdesk.security.token_keys import load_signing_key
from tests.support.keyrings import read_keyring


def encode_keys(*keys: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode((key + b".") * 16).decode() for key in keys)


SHARED = {
    name: encode_keys(letter) for name, letter in zip(sorted(KEY_VARIABLES), (b"a", b"b", b"c", b"d"), strict=True)
}


def test_every_key_variable_is_written_to_a_file() -> None:
    assert {*ROTATED_KEYS, *PERMANENT_KEYS} == KEY_VARIABLES


def test_two_hosts_with_the_same_environment_have_the_same_keys(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other, other):
        install_keys_from_env(folder, SHARED)
    assert (
        open_field_cipher(other).decrypt(open_field_cipher(one).encrypt(b"my order", b"place"), b"place") == b"my order"
    )
    assert open_field_cipher(other).fingerprint(b"a") == open_field_cipher(one).fingerprint(b"a")
    assert (load_signing_key(one), load_audit_key(one), load_pseudonym_key(one)) == (
        load_signing_key(other),
        load_audit_key(other),
        load_pseudonym_key(other),
    )
    files = list(other.iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_new_first_key_is_used_and_the_previous_one_still_decrypts(tmp_path: Path) -> None:
    install_keys_from_env(
        tmp_path, {"FRONTDESK_SEALING_KEY": encode_keys(b"1"), "FRONTDESK_SIGNING_KEY": encode_keys(b"1")}
    )
    running = open_field_cipher(tmp_path)
    before = running.encrypt(b"my order", b"place")
    install_keys_from_env(
        tmp_path, {"FRONTDESK_SEALING_KEY": encode_keys(b"2", b"1"), "FRONTDESK_SIGNING_KEY": encode_keys(b"2")}
    )
    cipher, ring = read_field_cipher(tmp_path), read_keyring(tmp_path)
    assert cipher.decrypt(before, b"place") == b"my order"
    assert [key.secret[:1] for key in (ring.active, *ring.others)] == [b"2", b"1"]
    assert running.decrypt(cipher.encrypt(b"my order", b"place"), b"place") == b"my order"


@pytest.mark.parametrize("name", sorted(PERMANENT_KEYS))
def test_a_different_permanent_key_is_refused(tmp_path: Path, name: str) -> None:
    install_keys_from_env(tmp_path, {name: encode_keys(b"1")})
    with pytest.raises(ConfigurationError, match=name):
        install_keys_from_env(tmp_path, {name: encode_keys(b"2")})


@pytest.mark.parametrize("value", ["short", "not base64url at all!!!", encode_keys(b"a") + ",", "é" * 50])
def test_a_malformed_variable_is_refused_and_not_repeated(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigurationError, match="FRONTDESK_SEALING_KEY") as raised:
        install_keys_from_env(tmp_path / "keys", {"FRONTDESK_SEALING_KEY": value})
    assert value not in str(raised.value)
    assert not (tmp_path / "keys").exists()


def test_nothing_is_created_without_variables(tmp_path: Path) -> None:
    install_keys_from_env(tmp_path / "keys", {"PATH": "/bin", "FRONTDESK_SEALING_KEY": ""})
    assert not (tmp_path / "keys").exists()
