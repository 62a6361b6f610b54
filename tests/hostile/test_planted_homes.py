"""Homes and databases that another user created, can write to, or reaches by a link are refused.

Only root can give files to another user, so the tests of owners need root.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from frontdesk.config import load_settings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import (
    CONTAINER_VARIABLE,
    UnsafeFileOwnershipError,
    check_home_ownership,
    make_home,
    open_own_file,
)
from frontdesk.security.token_keys import load_signing_key
from frontdesk.storage.database import COMPANIONS, open_database
from frontdesk.storage.spool.spool_file import Spool
from tests.support.serving import frontdesk

ANOTHER_USER = 65534
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


def of_another_user(home: Path) -> Path:
    os.chown(home, ANOTHER_USER, ANOTHER_USER)
    return home


def open_to_everybody(home: Path) -> Path:
    home.chmod(0o777)
    return home


def below_a_folder_of_another_user(home: Path) -> Path:
    os.chown(home.parent, ANOTHER_USER, ANOTHER_USER)
    return home


def below_a_folder_that_everybody_can_write_to(home: Path) -> Path:
    home.parent.chmod(0o777)
    return home


def behind_a_link_of_another_user(home: Path) -> Path:
    link = home.parent / "link"
    link.symlink_to(home)
    os.lchown(link, ANOTHER_USER, ANOTHER_USER)
    return link


def behind_a_link_in_a_folder_that_everybody_can_write_to(home: Path) -> Path:
    (home.parent / "open").mkdir()
    (home.parent / "open" / "link").symlink_to(home.parent)
    (home.parent / "open").chmod(0o777)
    return home.parent / "open" / "link" / home.name


PLANTED = [
    pytest.param(of_another_user, marks=needs_root),
    open_to_everybody,
    pytest.param(below_a_folder_of_another_user, marks=needs_root),
    below_a_folder_that_everybody_can_write_to,
    pytest.param(behind_a_link_of_another_user, marks=needs_root),
    behind_a_link_in_a_folder_that_everybody_can_write_to,
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty home in its own folder."""
    (tmp_path / "above" / "home").mkdir(parents=True, mode=0o700)
    return tmp_path / "above" / "home"


@pytest.mark.parametrize("plant", PLANTED)
def test_a_home_that_another_user_could_have_filled_is_refused(place: Path, plant: Callable[[Path], Path]) -> None:
    home = plant(place)
    with pytest.raises(UnsafeFileOwnershipError) as refused:
        load_settings(environment={"FRONTDESK_HOME": str(home)})
    assert str(refused.value).startswith(f"The home {home} is not used: ")
    assert "chmod" in refused.value.hint
    assert load_settings(environment={"FRONTDESK_HOME": str(home)}, trust_home=True).home == home.resolve()


@pytest.mark.parametrize("verb", ["serve", "token", "audit verify"])
def test_a_command_in_an_untrusted_home_ends_with_one_line_and_creates_nothing(place: Path, verb: str) -> None:
    result = frontdesk(open_to_everybody(place), *verb.split())
    assert result.returncode == 1
    assert result.stderr.startswith(f"error The home {place} is not used: other users can write")
    assert len(result.stderr.splitlines()) == 2
    assert list(place.iterdir()) == []


def test_doctor_reports_an_untrusted_home(place: Path) -> None:
    result = frontdesk(open_to_everybody(place), "doctor")
    assert f"other users can write to {place}" in " ".join(result.stdout.split())


def test_the_users_own_home_is_accepted_also_behind_an_own_link_and_in_a_sticky_folder(place: Path) -> None:
    place.parent.chmod(0o1777)
    (place.parent / "link").symlink_to("home")
    for home in (place, place.parent / "link", place.parent / "other" / ".." / "home", place / "not" / "there"):
        check_home_ownership(home)
    make_home(place.parent / "new" / "home")
    assert stat.S_IMODE((place.parent / "new" / "home").stat().st_mode) == 0o700


@needs_root
def test_a_home_open_to_the_users_private_group_is_closed(place: Path) -> None:
    """An umask of 002 creates such folders."""
    place.chmod(0o775)
    place.parent.chmod(0o775)
    check_home_ownership(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    os.chown(place, 0, ANOTHER_USER)
    place.chmod(0o770)
    with pytest.raises(UnsafeFileOwnershipError):
        check_home_ownership(place)


def test_an_open_folder_in_a_container_is_accepted_only_if_it_is_a_mount(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.chmod(0o777)
    monkeypatch.setenv(CONTAINER_VARIABLE, "1")
    with pytest.raises(UnsafeFileOwnershipError):
        check_home_ownership(place)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == place)  # mounting needs a capability
    check_home_ownership(place) if os.geteuid() == 0 else None


def test_a_home_that_is_not_a_folder_is_refused_with_one_line(place: Path) -> None:
    (place / "file").write_text("")
    for home in (place / "file", place / "file" / "below"):
        with pytest.raises(ConfigurationError, match=r"The home .* (is not a folder|cannot be used)"):
            check_home_ownership(home)


@needs_root
def test_keys_behind_a_link_of_another_user_are_neither_used_nor_created(place: Path) -> None:
    place.parent.chmod(0o1777)
    (place / "keys").mkdir(mode=0o700)
    load_signing_key(place / "keys")
    link = place.parent / "keys"
    link.symlink_to(place / "keys")
    assert load_signing_key(link) == load_signing_key(place / "keys")
    os.lchown(link, ANOTHER_USER, ANOTHER_USER)
    with pytest.raises(UnsafeFileOwnershipError, match="is a link of another user"):
        load_signing_key(link)
    (place / "keys" / "signing.key").unlink()
    with pytest.raises(UnsafeFileOwnershipError, match="is a link of another user"):
        load_signing_key(link)


class TestDatabases:
    @pytest.fixture
    def planted(self, place: Path) -> Path:
        """A database in a sticky folder that everybody can write to. The spool is opened like the database."""
        place.chmod(0o1777)
        sqlite3.connect(place / "frontdesk.db").close()
        (place / "frontdesk.db").touch(0o600)
        (place / "frontdesk.db").chmod(0o600)
        return place / "frontdesk.db"

    @needs_root
    @pytest.mark.parametrize("suffix", ["", *COMPANIONS])
    def test_a_database_of_another_user_is_refused(self, planted: Path, suffix: str) -> None:
        open_database(f"sqlite:///{planted}").dispose()
        file = Path(f"{planted}{suffix}")
        file.touch()
        os.chown(file, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(UnsafeFileOwnershipError, match="belongs to another user"):
            open_database(f"sqlite:///{planted}")

    @needs_root
    def test_a_database_behind_a_link_of_another_user_is_refused(self, planted: Path) -> None:
        link = planted.with_name("spool.db")
        link.symlink_to(planted)
        os.lchown(link, ANOTHER_USER, ANOTHER_USER)
        with pytest.raises(UnsafeFileOwnershipError, match="link of another user"):
            Spool.open(planted.parent)

    def test_a_database_that_others_can_write_to_is_refused(self, planted: Path) -> None:
        planted.chmod(0o666)
        with pytest.raises(UnsafeFileOwnershipError, match="other users can write to"):
            open_database(f"sqlite:///{planted}")

    def test_a_file_of_events_that_others_can_write_to_is_refused(self, place: Path) -> None:
        (place / "events.jsonl").touch()
        (place / "events.jsonl").chmod(0o622)
        with pytest.raises(UnsafeFileOwnershipError, match="Other users can write"):
            open_own_file(place / "events.jsonl", os.O_RDWR | os.O_APPEND)
