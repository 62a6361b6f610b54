"""`frontdesk keys --sealing`, and hosts that share keys, from the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.keys import MIN_UNUSED_S, check_retirable
from frontdesk.config import Settings, load_settings
from frontdesk.errors import ConfigurationError
from frontdesk.security.field_encryption import open_field_cipher
from frontdesk.security.key_store import KeyFiles, KeyPurpose
from frontdesk.storage.database import migrate, open_database
from frontdesk.storage.record_rows import RowBuilder
from frontdesk.storage.sql.records import insert_rows
from tests.support.command_line import invoke
from tests.support.records import record
from tests.support.serving import environment

LONG_AGO_S = MIN_UNUSED_S + 1


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Of a home with an answer in its database."""
    settings = load_settings(environment=environment(tmp_path / "home"))
    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    with engine.begin() as connection:
        insert_rows(connection, [RowBuilder(open_field_cipher(settings.keys)).rows(record())])
    engine.dispose()
    return settings


def test_a_sealing_key_is_rotated_resealed_and_only_then_retired(settings: Settings) -> None:
    home, files = settings.home, KeyFiles(settings.keys, KeyPurpose.FIELD_ENCRYPTION)
    old = files.active().kid
    new = invoke(home, "keys", "rotate", "--sealing").stdout.strip()
    listed = json.loads(invoke(home, "keys", "list", "--sealing", "--json").stdout)
    assert listed == [{"kid": new, "use": "seals"}, {"kid": old, "use": "opens"}]
    with pytest.raises(ConfigurationError, match="2 values are encrypted with it"):
        check_retirable(settings, old, LONG_AGO_S)

    resealed = invoke(home, "keys", "reseal")
    assert f"2 values were re-encrypted with the key {new}." in resealed.stdout
    assert f"frontdesk keys retire {old} --sealing" in resealed.stdout
    early = invoke(home, "keys", "retire", old, "--sealing")
    assert (early.returncode, "was replaced" in early.stderr) == (1, True)
    check_retirable(settings, old, LONG_AGO_S)
    assert files.read().find(old) is not None


def test_a_database_that_is_away_is_said_in_a_line(settings: Settings) -> None:
    away = "postgresql+psycopg2://nobody@127.0.0.1:1/none"
    output = invoke(settings.home, "keys", "reseal", storage__url=away)
    assert output.returncode == 1
    assert "The database did not answer (OperationalError)" in output.stderr
    assert "Traceback" not in output.stderr


def test_hosts_with_the_same_environment_check_each_others_audit_log_and_tokens(tmp_path: Path) -> None:
    key = base64.urlsafe_b64encode(b"k." * 16).decode()
    shared = {"audit_key": key, "sealing_key": key, "signing_key": key, "erasure_key": key}
    shared["storage__url"] = f"sqlite:///{tmp_path}/shared.db"
    one, other = tmp_path / "one", tmp_path / "other"
    assert invoke(one, "keys", "new", **shared).returncode == 0
    checked = invoke(other, "audit", "verify", **shared)
    assert (checked.returncode, checked.stdout[:9]) == (0, "1 entries"), checked.stderr
    token = invoke(one, "token", **shared).stdout.strip()
    assert invoke(other, "token", "inspect", "-", stdin=token, **shared).returncode == 0
    assert invoke(
        other, "audit", "verify", storage__url=shared["storage__url"], security__keys=tmp_path / "k"
    ).returncode


def test_keys_are_read_from_a_mounted_secret(tmp_path: Path) -> None:
    """As Kubernetes mounts one: each file a link to a link to a folder, readable by its owner alone."""
    mount = tmp_path / "mounted"
    version = mount / "..2026"
    version.mkdir(parents=True)
    (mount / "..data").symlink_to("..2026")
    for name in ("signing", "sealing", "audit", "erasure", "bundle"):
        (version / f"{name}.key").write_bytes(base64.urlsafe_b64encode(name[:2].encode() * 16))
        (version / f"{name}.key").chmod(0o400)
        (mount / f"{name}.key").symlink_to(f"..data/{name}.key")
    listed = invoke(tmp_path / "home", "keys", "list", "--json", security__keys=mount)
    assert listed.returncode == 0, listed.stderr
    assert [row["use"] for row in json.loads(listed.stdout)] == ["signs"]
    assert invoke(tmp_path / "home", "audit", "verify", security__keys=mount).returncode == 0
    assert not (tmp_path / "home" / "keys").exists()
