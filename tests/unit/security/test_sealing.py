"""What is sealed opens with its key, in its place and unchanged, or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.errors import ConfigurationError, DataError
from frontdesk.security.sealing import Seal, SealingKey, open_seal

OLD, NEW = SealingKey.of(b"o" * 32), SealingKey.of(b"n" * 32)
CONTEXT = b"acme|1|query_text"


@given(plain=st.binary(), context=st.binary())
def test_what_was_sealed_opens_in_its_place(plain: bytes, context: bytes) -> None:
    assert Seal(OLD).open(Seal(OLD).seal(plain, context), context) == plain


def test_the_same_bytes_never_look_the_same_twice() -> None:
    assert len({Seal(OLD).seal(b"my order", CONTEXT) for _ in range(100)}) == 100


def test_a_sealed_value_shows_nothing_and_opens_nowhere_else() -> None:
    sealed = Seal(OLD).seal(b"my neighbour knows", CONTEXT)
    assert b"neighbour" not in sealed
    with pytest.raises(DataError, match="another place"):
        Seal(OLD).open(sealed, b"acme|2|query_text")


@given(data=st.data())
def test_a_value_of_which_one_bit_was_changed_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(Seal(OLD).seal(b"my order", CONTEXT))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((DataError, ConfigurationError)):
        Seal(OLD).open(bytes(sealed), CONTEXT)


def test_a_value_that_is_cut_short_does_not_open() -> None:
    sealed = Seal(OLD).seal(b"", CONTEXT)
    for length in range(len(sealed)):
        with pytest.raises(DataError):
            Seal(OLD).open(sealed[:length], CONTEXT)


def test_a_new_key_seals_while_the_old_one_still_opens() -> None:
    sealed = Seal(OLD).seal(b"my order", CONTEXT)
    both = Seal(NEW, {OLD.key_id: OLD})
    assert both.open(sealed, CONTEXT) == b"my order"
    with pytest.raises(ConfigurationError, match=NEW.key_id.hex()):
        Seal(OLD).open(both.seal(b"my order", CONTEXT), CONTEXT)


def test_a_fingerprint_is_the_same_for_the_same_bytes_under_the_same_key() -> None:
    assert Seal(OLD).fingerprint(b"a") == Seal(OLD).fingerprint(b"a")
    assert len({Seal(OLD).fingerprint(b"a"), Seal(OLD).fingerprint(b"b"), Seal(NEW).fingerprint(b"a")}) == 3


def test_the_key_is_made_on_first_run_and_stays(tmp_path: Path) -> None:
    sealed = open_seal(tmp_path / "keys").seal(b"my order", CONTEXT)
    assert open_seal(tmp_path / "keys").open(sealed, CONTEXT) == b"my order"
    assert stat.S_IMODE((tmp_path / "keys" / "sealing.key").stat().st_mode) == 0o600


def test_no_secret_is_shown(tmp_path: Path) -> None:
    shown = repr(open_seal(tmp_path / "keys"))
    assert "printing" not in shown
    assert "cipher" not in shown
