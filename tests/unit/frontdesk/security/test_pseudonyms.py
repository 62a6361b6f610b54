from __future__ import annotations

import stat
from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from frontdesk.security.key_store import ERASURE_KEY_FILE
from frontdesk.security.pseudonyms import load_pseudonym_key


def test_the_key_is_created_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = load_pseudonym_key(tmp_path / "keys"), load_pseudonym_key(tmp_path / "keys")
    assert first == second
    assert stat.S_IMODE((tmp_path / "keys" / ERASURE_KEY_FILE).stat().st_mode) == 0o600


def test_a_pseudonym_is_repeatable_and_depends_on_the_key(tmp_path: Path) -> None:
    ours, theirs = load_pseudonym_key(tmp_path / "ours"), load_pseudonym_key(tmp_path / "theirs")
    assert ours.pseudonym(b"customer-7") == ours.pseudonym(b"customer-7")
    assert ours.pseudonym(b"customer-7") != ours.pseudonym(b"customer-8")
    assert ours.pseudonym(b"customer-7") != theirs.pseudonym(b"customer-7")
    assert ours.secret.hex() not in repr(ours)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_pseudonym_key(tmp_path)
    (tmp_path / ERASURE_KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        load_pseudonym_key(tmp_path)
