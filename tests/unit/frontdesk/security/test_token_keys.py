"""Signing keys: created once, readable by their owner only, and otherwise refused; rotation and reloading."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import frontdesk
from frontdesk.errors import ConfigurationError
from frontdesk.security.field_encryption import open_field_cipher
from frontdesk.security.key_store import RELOAD_INTERVAL_S, KeyFiles, KeyPurpose, write_secret
from frontdesk.security.token_keys import LocalTokenKeys, SigningKey, load_signing_key
from tests.support.keyrings import read_keyring

FILE_NAME = "signing.key"
PROJECT = Path(frontdesk.__file__).resolve().parent.parent


def test_the_first_run_creates_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    key = load_signing_key(folder)
    assert len(key.secret) == 32
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_the_second_run_reads_the_same_key(tmp_path: Path) -> None:
    assert load_signing_key(tmp_path / "keys") == load_signing_key(tmp_path / "keys")


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    assert load_signing_key(tmp_path / "a").secret != load_signing_key(tmp_path / "b").secret


def test_the_kid_is_the_start_of_the_hash_of_the_secret(tmp_path: Path) -> None:
    key = load_signing_key(tmp_path)
    assert key.kid == hashlib.sha256(key.secret).hexdigest()[:8]


def test_the_repr_hides_the_secret() -> None:
    assert "hidden" not in repr(SigningKey(kid="0a1b2c3d", secret=b"hidden"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_can_open_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    load_signing_key(tmp_path)
    path = tmp_path / FILE_NAME
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as raised:
        load_signing_key(tmp_path)
    assert f"chmod 600 {path}" in raised.value.hint


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_of_its_owner_alone_is_accepted(tmp_path: Path, mode: int) -> None:
    load_signing_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    assert len(load_signing_key(tmp_path).secret) == 32


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (base64.urlsafe_b64encode(b"x" * 31), "31 bytes"),
        (b"", "0 bytes"),
        (b"not base64url at all!!!", "base64url"),
        (b"A", "base64url"),
    ],
)
def test_a_short_or_damaged_key_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=complaint):
        load_signing_key(tmp_path)


def test_a_custom_key_with_padding_and_newline_is_read(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(base64.urlsafe_b64encode(b"y." * 20) + b"\n")
    path.chmod(0o600)
    assert load_signing_key(tmp_path).secret == b"y." * 20


def test_threads_that_start_together_end_with_the_same_key(tmp_path: Path) -> None:
    together = Barrier(16)

    def start(_: int) -> SigningKey:
        together.wait()
        return load_signing_key(tmp_path / "keys")

    with ThreadPoolExecutor(16) as threads:
        assert len({key.secret for key in threads.map(start, range(16))}) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [FILE_NAME]


def test_processes_that_start_together_end_with_the_same_key(tmp_path: Path) -> None:
    program = "import sys, pathlib; from frontdesk.security.token_keys import load_signing_key; sys.stdin.read(1)\n"
    program += "print(load_signing_key(pathlib.Path(sys.argv[1])).secret.hex())"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "keys")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    secrets = {process.communicate(timeout=30)[0].strip() for process in started}
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64


def files(folder: Path) -> KeyFiles:
    return KeyFiles(folder, KeyPurpose.SIGNING)


def kids(folder: Path) -> list[str]:
    """Key ids, the signing key first."""
    ring = read_keyring(folder)
    return [key.kid for key in (ring.active, *ring.others)]


class TestRotation:
    def test_the_new_key_signs_and_the_old_one_verifies(self, tmp_path: Path) -> None:
        first = load_signing_key(tmp_path)
        second = files(tmp_path).rotate()
        assert kids(tmp_path) == [second.kid, first.kid]
        assert load_signing_key(tmp_path).secret == second.secret != first.secret
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}

    def test_a_key_can_be_created_first_and_used_later(self, tmp_path: Path) -> None:
        first = load_signing_key(tmp_path)
        waiting = files(tmp_path).add()
        assert kids(tmp_path) == [first.kid, waiting.kid]
        for _ in range(2):
            assert files(tmp_path).rotate(waiting.kid) == waiting
            assert kids(tmp_path) == [waiting.kid, first.kid]

    def test_one_can_go_back_to_an_older_key(self, tmp_path: Path) -> None:
        first = load_signing_key(tmp_path)
        second = files(tmp_path).rotate()
        files(tmp_path).rotate(first.kid)
        assert kids(tmp_path) == [first.kid, second.kid]

    def test_a_retired_key_is_gone(self, tmp_path: Path) -> None:
        first = load_signing_key(tmp_path)
        second = files(tmp_path).rotate()
        files(tmp_path).retire(first.kid)
        assert kids(tmp_path) == [second.kid]
        assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]

    def test_neither_the_signing_key_nor_an_unknown_key_is_retired(self, tmp_path: Path) -> None:
        key = load_signing_key(tmp_path)
        with pytest.raises(ConfigurationError, match="in use"):
            files(tmp_path).retire(key.kid)
        for missing in ("00000000", "../../etc/passwd"):
            with pytest.raises(ConfigurationError, match="no key"):
                files(tmp_path).retire(missing)
            with pytest.raises(ConfigurationError, match="no key"):
                files(tmp_path).rotate(missing)

    def test_an_older_key_that_others_can_read_is_refused_too(self, tmp_path: Path) -> None:
        first = load_signing_key(tmp_path)
        files(tmp_path).rotate()
        (tmp_path / f"signing-{first.kid}.key").chmod(0o644)
        with pytest.raises(ConfigurationError, match="open to other users"):
            read_keyring(tmp_path)

    def test_keys_of_two_purposes_do_not_touch_each_other(self, tmp_path: Path) -> None:
        sealing = KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION)
        before = sealing.read()
        files(tmp_path).rotate()
        files(tmp_path).add()
        assert sealing.read() == before
        assert sealing.file_state() == KeyFiles(tmp_path, KeyPurpose.FIELD_ENCRYPTION).file_state()
        assert len(kids(tmp_path)) == 3

    def test_a_running_process_sees_a_change_within_a_second(self, tmp_path: Path) -> None:
        folder = LocalTokenKeys(tmp_path)
        key = files(tmp_path).rotate()
        give_up = time.monotonic() + RELOAD_INTERVAL_S + 1
        while folder.find(key.kid) is None and time.monotonic() < give_up:
            time.sleep(0.05)
        assert folder.find(key.kid) is not None


def make_open_to_others(path: Path) -> None:
    write_secret(path, b"s." * 16)
    path.chmod(0o644)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_damaged(path: Path) -> None:
    path.write_text("no key at all!")
    path.chmod(0o600)


def make_link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nothing")


UNREADABLE = (make_open_to_others, make_folder, make_damaged, make_link_loop, make_dangling_link)


class TestUnreadableFileNextToTheGoodKey:
    @pytest.mark.parametrize("make", UNREADABLE)
    def test_it_is_skipped_at_the_start_and_while_the_process_runs(
        self, tmp_path: Path, make: Callable[[Path], None]
    ) -> None:
        key, folder = load_signing_key(tmp_path), LocalTokenKeys(tmp_path)
        make(tmp_path / "signing-00bad000.key")
        expect_at_each_reload(folder, key.kid)
        assert LocalTokenKeys(tmp_path).find(key.kid) is not None
        assert len(open_field_cipher(tmp_path).encrypt(b"text", b"context")) > len(b"text")

    @pytest.mark.parametrize("make", UNREADABLE)
    def test_it_is_skipped_for_field_encryption_too(self, tmp_path: Path, make: Callable[[Path], None]) -> None:
        cipher = open_field_cipher(tmp_path)
        encrypted = cipher.encrypt(b"text", b"context")
        make(tmp_path / "sealing-00bad000.key")
        assert cipher.decrypt(encrypted, b"context") == b"text"
        assert open_field_cipher(tmp_path).decrypt(encrypted, b"context") == b"text"

    def test_it_is_logged_once_and_a_key_read_earlier_stays_in_use(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = load_signing_key(tmp_path)
        second = files(tmp_path).rotate()
        folder = LocalTokenKeys(tmp_path)
        (tmp_path / f"signing-{first.kid}.key").chmod(0o644)
        expect_at_each_reload(folder, first.kid)
        expect_at_each_reload(folder, second.kid)
        assert caplog.text.count("chmod 600") == 1
        (tmp_path / f"signing-{first.kid}.key").unlink()  # retired
        folder._reloading_ring.reload()
        assert folder.find(first.kid) is None

    def test_the_previous_keys_stay_in_use_while_the_key_in_use_cannot_be_read(self, tmp_path: Path) -> None:
        key, folder = load_signing_key(tmp_path), LocalTokenKeys(tmp_path)
        (tmp_path / FILE_NAME).chmod(0o644)
        expect_at_each_reload(folder, key.kid)
        (tmp_path / FILE_NAME).chmod(0o600)
        new = files(tmp_path).rotate()
        expect_at_each_reload(folder, new.kid)


def expect_at_each_reload(folder: LocalTokenKeys, kid: str) -> None:
    """Check the key three times, a second apart, as requests do."""
    for _ in range(3):
        folder._reloading_ring._reload_at = 0.0
        assert folder.find(kid) is not None


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match="cannot be created"):
        write_secret(tmp_path / "keys" / FILE_NAME, b"s." * 16)
