"""Files planted by another user of this machine (configurations, modules, keys, links) are neither used nor followed.

Only root can give files to another user. Without root, the tests that need that are skipped.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.classify import COLUMNS, ERROR, ClassifyRun, identify_run
from cli.doctor import check_setup
from cli.message_columns import MessageColumns
from cli.resumable_rows import open_rows
from frontdesk.config import CONFIG_VARIABLE, PROJECT, load_settings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import UnsafeFileOwnershipError, open_own_file, replace_file
from frontdesk.responses.llm.factory import read_api_key
from frontdesk.security.key_store import KeyFiles, KeyPurpose, read_secret, write_secret
from frontdesk.security.token_keys import LocalTokenKeys, load_signing_key
from model_store.bundle import Bundle
from tests.support.keyrings import read_keyring
from tests.support.serving import Server, environment, frontdesk, home_with

ANOTHER_USER = 65534
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
FORGED = base64.urlsafe_b64encode(b"f." * 16)


@pytest.fixture
def foreign_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, outside the checkout."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def planted_key(folder: Path, content: bytes = FORGED) -> Path:
    """A signing key that belongs to another user and that only that user can read."""
    path = folder / "signing-22a48051.key"
    path.write_bytes(content)
    path.chmod(0o600)
    os.chown(path, ANOTHER_USER, ANOTHER_USER)
    return path


class TestConfiguration:
    def test_the_users_own_file_in_the_current_directory_is_read(self, foreign_folder: Path) -> None:
        (foreign_folder / "configuration.yaml").write_text("server: {port: 3211}")
        assert load_settings(environment={}).server.port == 3211

    @needs_root
    def test_a_file_of_another_user_is_refused_with_one_line(self, foreign_folder: Path) -> None:
        file = foreign_folder / "configuration.yaml"
        file.write_text("llm: {base_url: 'http://127.0.0.1:3299/v1'}")
        os.chown(file, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(ConfigurationError, match="is not used: it belongs to another user") as refused:
            load_settings(environment={})
        assert "\n" not in str(refused.value)
        assert CONFIG_VARIABLE in refused.value.hint

    @needs_root
    def test_a_file_in_a_folder_of_another_user_is_refused(self, foreign_folder: Path) -> None:
        (foreign_folder / "configuration.yaml").write_text("server: {port: 3211}")
        os.chown(foreign_folder, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(ConfigurationError, match="belongs to another user"):
            load_settings(environment={})

    @needs_root
    def test_a_link_of_another_user_to_a_file_of_ours_is_refused(self, foreign_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "ours.yaml").write_text("server: {port: 3211}")
        (foreign_folder / "configuration.yaml").symlink_to(tmp_path / "ours.yaml")
        os.lchown(foreign_folder / "configuration.yaml", ANOTHER_USER, ANOTHER_USER)
        foreign_folder.chmod(0o1777)
        with pytest.raises(ConfigurationError, match="link of another user"):
            load_settings(environment={})

    @pytest.mark.parametrize("mode", [0o666, 0o664, 0o602])
    def test_a_file_that_others_can_write_to_is_refused(self, foreign_folder: Path, mode: int) -> None:
        file = foreign_folder / "configuration.yaml"
        file.write_text("server: {port: 3211}")
        file.chmod(mode)
        with pytest.raises(ConfigurationError, match="other users can write to it"):
            load_settings(environment={})

    def test_a_file_in_a_folder_that_others_can_write_to_is_refused(self, foreign_folder: Path) -> None:
        (foreign_folder / "configuration.yaml").write_text("server: {port: 3211}")
        foreign_folder.chmod(0o777)
        with pytest.raises(ConfigurationError, match="other users can write to the folder"):
            load_settings(environment={})

    def test_a_file_named_by_the_variable_is_refused_if_everybody_can_write_to_it(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.yaml"
        file.write_text("server: {port: 3211}")
        file.chmod(0o664)
        assert load_settings(environment={CONFIG_VARIABLE: str(file)}).server.port == 3211
        file.chmod(0o646)
        with pytest.raises(ConfigurationError, match="everybody can write to it"):
            load_settings(environment={CONFIG_VARIABLE: str(file)})

    @needs_root
    def test_a_key_is_not_sent_to_the_server_of_a_planted_configuration(self, foreign_folder: Path) -> None:
        file = foreign_folder / "configuration.yaml"
        file.write_text("llm: {base_url: 'http://127.0.0.1:3299/v1', model: m}\nresponses: {provider: openai}")
        os.chown(file, ANOTHER_USER, ANOTHER_USER)
        result = subprocess.run(
            [sys.executable, "-P", "-m", "cli", "doctor"],
            cwd=foreign_folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "FRONTDESK_LLM__API_KEY": "sk-SECRET-123"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1
        assert result.stderr.startswith("error ")
        assert "belongs to another user" in result.stderr
        assert "Traceback" not in result.stderr


class TestModules:
    @pytest.fixture
    def planted(self, foreign_folder: Path) -> Path:
        """Modules that would run with the rights of the user who starts the product here."""
        for name in ("bentoml", "cli", "bentos", "numpy", "circus", "runners", "xllamacpp", "sitecustomize"):
            (foreign_folder / f"{name}.py").write_text(
                f"open({str(foreign_folder / 'ran')!r}, 'a').write({name!r})\nraise SystemExit('planted {name}')\n"
            )
        return foreign_folder / "ran"

    def test_a_server_started_in_a_foreign_folder_imports_nothing_from_there_but_resolves_relative_paths(
        self, planted: Path, tiny_bundle: Bundle, tmp_path: Path
    ) -> None:
        """BentoML's workers run in the folder of the code, because they import from their working directory."""
        home, folder = home_with(tiny_bundle, tmp_path / "home"), planted.parent
        (folder / "policy.yaml").write_bytes((PROJECT / "frontdesk" / "policy" / "priority.yaml").read_bytes())
        (folder / "configuration.yaml").write_text("policy: {priority: policy.yaml}\nstorage: {url: 'sqlite:///r.db'}")
        command = ("-P", "-c", "import sys; sys.argv[1:] = ['serve']; from cli.main import run; run()")
        variables = {"PYTHONPATH": str(PROJECT)}
        with (
            Server(home, workers=1, command=command, cwd=folder, variables=variables) as server,
            server.client() as client,
        ):
            assert client.post("/v1/queries", json={"text": "Where is my parcel?"}).status_code == 200
        assert (folder / "r.db").exists()
        assert not planted.exists()


class TestKeys:
    @needs_root
    def test_a_key_that_another_user_planted_verifies_nothing_and_is_logged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        ours = load_signing_key(tmp_path)
        folder = LocalTokenKeys(tmp_path)
        path = planted_key(tmp_path)
        kids = {key.kid for key in (read_keyring(tmp_path).active, *read_keyring(tmp_path).others)}
        assert kids == {ours.kid}
        assert folder.find("22a48051") is None
        assert f"The key file {path} belongs to another user" in caplog.text
        assert caplog.records[0].levelno == logging.ERROR

    @needs_root
    @pytest.mark.parametrize("name", ["signing.key", "sealing.key", "audit.key", "erasure.key", "bundle.key"])
    def test_the_key_in_use_is_refused_if_another_user_owns_it(self, tmp_path: Path, name: str) -> None:
        write_secret(tmp_path / name, b"k." * 16)
        os.chown(tmp_path / name, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(UnsafeFileOwnershipError, match="belongs to another user"):
            read_secret(tmp_path / name)

    @needs_root
    def test_a_folder_of_another_user_holds_no_keys(self, tmp_path: Path) -> None:
        load_signing_key(tmp_path / "keys")
        os.chown(tmp_path / "keys", ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(UnsafeFileOwnershipError, match="belongs to another user"):
            load_signing_key(tmp_path / "keys")
        with pytest.raises(UnsafeFileOwnershipError, match="belongs to another user"):
            write_secret(tmp_path / "keys" / "audit.key", b"k." * 16)

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
    def test_a_folder_that_others_can_write_to_holds_no_keys(self, tmp_path: Path, mode: int) -> None:
        load_signing_key(tmp_path / "keys")
        (tmp_path / "keys").chmod(mode)
        with pytest.raises(UnsafeFileOwnershipError, match="other users can write to the folder") as refused:
            load_signing_key(tmp_path / "keys")
        assert "chmod" in refused.value.hint

    @needs_root
    def test_a_link_that_another_user_planted_is_not_followed(self, tmp_path: Path) -> None:
        load_signing_key(tmp_path / "ours")
        keys = tmp_path / "keys"
        keys.mkdir(mode=0o700)
        (keys / "signing.key").symlink_to(tmp_path / "ours" / "signing.key")
        assert len(load_signing_key(keys).secret) == 32
        os.lchown(keys / "signing.key", ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(UnsafeFileOwnershipError, match="link of another user"):
            load_signing_key(keys)

    @needs_root
    def test_a_mounted_secret_in_a_sticky_folder_of_root_is_read(self, tmp_path: Path) -> None:
        """Kubernetes mounts secrets this way: a folder of mode 1777 whose files are links to links."""
        mount = tmp_path / "mounted"
        (mount / "..2026").mkdir(parents=True)
        mount.chmod(0o1777)
        (mount / "..data").symlink_to("..2026")
        (mount / "..2026" / "signing.key").write_bytes(FORGED)
        (mount / "..2026" / "signing.key").chmod(0o400)
        (mount / "signing.key").symlink_to("..data/signing.key")
        assert load_signing_key(mount).secret == b"f." * 16
        planted_key(mount)
        assert KeyFiles(mount, KeyPurpose.SIGNING).read().others == ()

    @needs_root
    def test_the_key_of_a_language_model_is_refused_if_another_user_owns_it(self, tmp_path: Path) -> None:
        path = tmp_path / "llm.key"
        path.write_text("sk-1")
        path.chmod(0o600)
        assert read_api_key(path).get_secret_value() == "sk-1"
        os.chown(path, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(ConfigurationError, match="belongs to another user"):
            read_api_key(path)

    @needs_root
    def test_doctor_reports_a_planted_key(self, home: Path) -> None:
        load_signing_key(home / "keys")
        planted_key(home / "keys")
        settings = load_settings(environment=environment(home))
        (check,) = [finding for finding in check_setup(settings) if finding.what == "other keys"]
        assert check.state == "bad"
        assert "signing-22a48051.key" in check.told
        assert "another user" in check.told

    def test_doctor_reports_a_folder_of_keys_that_others_can_write_to(self, home: Path) -> None:
        load_signing_key(home / "keys")
        (home / "keys").chmod(0o777)
        settings = load_settings(environment=environment(home))
        (check,) = [finding for finding in check_setup(settings) if finding.what == "keys"]
        assert (check.state, "chmod 700" in check.told) == ("bad", True)


class TestOutputFiles:
    @pytest.fixture
    def victim(self, tmp_path: Path) -> Iterator[Path]:
        """A file of the operator that a planted link points to."""
        path = tmp_path / "precious"
        path.write_text("precious")
        yield path
        assert path.read_text() == "precious"

    def run_in(self, folder: Path) -> ClassifyRun:
        file = folder / "in.csv"
        file.write_text("id,text\n1,where is my parcel\n")
        rows = open_rows(file, MessageColumns(("text",)), (*COLUMNS, ERROR))
        result = [{**dict.fromkeys(COLUMNS, 1), "decision": "draft"}]
        return ClassifyRun(folder / "out.csv", rows, identify_run(rows, "v1", {}), lambda texts: result * len(texts))

    @pytest.mark.parametrize("name", ["out.csv", "out.csv.part", "out.csv.part.json", "out.csv.part.json.new"])
    def test_classify_writes_through_no_planted_link(self, tmp_path: Path, victim: Path, name: str) -> None:
        run = self.run_in(tmp_path)
        (tmp_path / name).symlink_to(victim)
        for _ in run.classify_in_steps(run.resume()[0]):
            pass
        assert not run.target.is_symlink()
        assert "draft" in run.target.read_text()
        assert stat.S_IMODE(run.target.stat().st_mode) == 0o600

    @needs_root
    def test_classify_does_not_resume_from_a_part_or_a_record_of_another_user(
        self, tmp_path: Path, victim: Path
    ) -> None:
        run = self.run_in(tmp_path)
        reached = {"read": 8, "written": 7, "rows": 0, "errors": 0, "decisions": {}}
        record = {"identity": dict(run.identity), "reached": reached, "part": ".out.csv.part-1"}
        (tmp_path / ".out.csv.part-1").symlink_to(victim)
        run.record_path.write_text(json.dumps(record))
        os.chown(run.record_path, ANOTHER_USER, ANOTHER_USER)
        assert "no valid progress record" in run.resume()[1]
        os.chown(run.record_path, 0, 0)
        with pytest.raises(UnsafeFileOwnershipError, match="is a link"):
            list(run.classify_in_steps(run.resume()[0]))

    def test_a_file_that_is_replaced_is_created_and_never_opened(self, tmp_path: Path, victim: Path) -> None:
        (tmp_path / "pointer").symlink_to(victim)
        with replace_file(tmp_path / "pointer") as file:
            file.write(b"new")
        assert (tmp_path / "pointer").read_bytes() == b"new"
        assert not (tmp_path / "pointer").is_symlink()

    def test_a_file_with_a_second_name_is_not_appended_to(self, tmp_path: Path, victim: Path) -> None:
        os.link(victim, tmp_path / "events.jsonl")
        with pytest.raises(UnsafeFileOwnershipError, match="is not used"):
            open_own_file(tmp_path / "events.jsonl", os.O_RDWR | os.O_APPEND)


def test_files_that_commands_write_in_home_are_closed_to_other_users(home: Path) -> None:
    """Files written by the command line; tests/e2e check those of training and of a server."""
    result = frontdesk(home, "ask", "Where is my parcel?", "--local")
    assert result.returncode == 0, result.stderr
    files = [path for path in home.rglob("*") if "bundles" not in path.parts]
    assert files
    assert not [path for path in files if path.lstat().st_mode & 0o077]
