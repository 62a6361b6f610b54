"""Encrypted fields can be decrypted only with their key, in their context and unchanged."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.errors import ConfigurationError, DataError
from frontdesk.security.field_encryption import AesGcmFieldCipher, EncryptionKey, open_field_cipher, read_key_id
from frontdesk.security.key_store import RELOAD_INTERVAL_S, KeyFiles, KeyPurpose

OLD, NEW = EncryptionKey.of(b"o" * 32), EncryptionKey.of(b"n" * 32)
CONTEXT = b"acme|1|query_text"


@given(plain=st.binary(), context=st.binary())
def test_an_encrypted_value_is_decrypted_in_its_context(plain: bytes, context: bytes) -> None:
    assert AesGcmFieldCipher(OLD).decrypt(AesGcmFieldCipher(OLD).encrypt(plain, context), context) == plain


def test_equal_values_are_encrypted_differently() -> None:
    assert len({AesGcmFieldCipher(OLD).encrypt(b"my order", CONTEXT) for _ in range(100)}) == 100


def test_an_encrypted_value_cannot_be_decrypted_in_another_context() -> None:
    encrypted = AesGcmFieldCipher(OLD).encrypt(b"my neighbour knows", CONTEXT)
    assert b"neighbour" not in encrypted
    with pytest.raises(DataError, match="another place"):
        AesGcmFieldCipher(OLD).decrypt(encrypted, b"acme|2|query_text")


@given(data=st.data())
def test_a_value_with_one_changed_bit_is_refused(data: st.DataObject) -> None:
    encrypted = bytearray(AesGcmFieldCipher(OLD).encrypt(b"my order", CONTEXT))
    bit = data.draw(st.integers(0, len(encrypted) * 8 - 1))
    encrypted[bit // 8] ^= 1 << bit % 8
    with pytest.raises((DataError, ConfigurationError)):
        AesGcmFieldCipher(OLD).decrypt(bytes(encrypted), CONTEXT)


def test_a_truncated_value_is_refused() -> None:
    encrypted = AesGcmFieldCipher(OLD).encrypt(b"", CONTEXT)
    for length in range(len(encrypted)):
        with pytest.raises(DataError):
            AesGcmFieldCipher(OLD).decrypt(encrypted[:length], CONTEXT)


def test_a_new_key_encrypts_while_the_old_one_still_decrypts() -> None:
    encrypted = AesGcmFieldCipher(OLD).encrypt(b"my order", CONTEXT)
    both = AesGcmFieldCipher(NEW, {OLD.key_id: OLD})
    assert both.decrypt(encrypted, CONTEXT) == b"my order"
    with pytest.raises(ConfigurationError, match=NEW.key_id.hex()):
        AesGcmFieldCipher(OLD).decrypt(both.encrypt(b"my order", CONTEXT), CONTEXT)


def test_a_fingerprint_is_the_same_for_the_same_bytes_under_the_same_key() -> None:
    assert AesGcmFieldCipher(OLD).fingerprint(b"a") == AesGcmFieldCipher(OLD).fingerprint(b"a")
    assert (
        len(
            {
                AesGcmFieldCipher(OLD).fingerprint(b"a"),
                AesGcmFieldCipher(OLD).fingerprint(b"b"),
                AesGcmFieldCipher(NEW).fingerprint(b"a"),
            }
        )
        == 3
    )


def test_a_fingerprint_matches_with_every_available_key() -> None:
    both, fingerprint = AesGcmFieldCipher(NEW, {OLD.key_id: OLD}), AesGcmFieldCipher(OLD).fingerprint(b"a")
    assert both.matches_fingerprint(fingerprint, b"a")
    assert both.matches_fingerprint(both.fingerprint(b"a"), b"a")
    assert not both.matches_fingerprint(fingerprint, b"b")
    assert not AesGcmFieldCipher(NEW).matches_fingerprint(fingerprint, b"a")
    assert not both.matches_fingerprint("", b"a")


class TestFolder:
    def test_a_value_of_a_key_newer_than_the_process_is_decrypted_at_once(self, tmp_path: Path) -> None:
        running = open_field_cipher(tmp_path)
        KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION).rotate()
        newer = open_field_cipher(tmp_path)
        assert running.decrypt(newer.encrypt(b"my order", CONTEXT), CONTEXT) == b"my order"
        assert running.matches_fingerprint(newer.fingerprint(b"a"), b"a")

    def test_a_running_process_encrypts_with_a_new_key_within_a_second(self, tmp_path: Path) -> None:
        running = open_field_cipher(tmp_path)
        before = running.encrypt(b"my order", CONTEXT)
        key = KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION).rotate()
        give_up = time.monotonic() + RELOAD_INTERVAL_S + 1
        while (
            read_key_id(after := running.encrypt(b"my order", CONTEXT)).hex() != key.kid and time.monotonic() < give_up
        ):
            time.sleep(0.05)
        assert read_key_id(after).hex() == key.kid
        assert running.decrypt(before, CONTEXT) == running.decrypt(after, CONTEXT) == b"my order"

    def test_a_retired_key_decrypts_nothing(self, tmp_path: Path) -> None:
        running, files = open_field_cipher(tmp_path), KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION)
        before, first = running.encrypt(b"my order", CONTEXT), files.active()
        files.rotate()
        files.retire(first.kid)
        with pytest.raises(ConfigurationError, match=first.kid):
            open_field_cipher(tmp_path).decrypt(before, CONTEXT)

    def test_an_unusable_key_file_is_logged_and_the_previous_keys_stay_in_use(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        running, files = open_field_cipher(tmp_path), KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION)
        before = running.encrypt(b"my order", CONTEXT)
        waiting = files.add()
        (tmp_path / f"sealing-{waiting.kid}.key").chmod(0o644)
        assert not running.matches_fingerprint(AesGcmFieldCipher(NEW).fingerprint(b"a"), b"a")
        assert running.decrypt(before, CONTEXT) == b"my order"
        assert "chmod 600" in caplog.text


def test_the_key_is_created_on_first_use_and_reused(tmp_path: Path) -> None:
    encrypted = open_field_cipher(tmp_path / "keys").encrypt(b"my order", CONTEXT)
    assert open_field_cipher(tmp_path / "keys").decrypt(encrypted, CONTEXT) == b"my order"
    assert stat.S_IMODE((tmp_path / "keys" / "sealing.key").stat().st_mode) == 0o600


def test_the_repr_hides_the_secrets(tmp_path: Path) -> None:
    text = repr(open_field_cipher(tmp_path / "keys"))
    assert "fingerprint_secret" not in text
    assert "cipher" not in text
