"""Valid and invalid values of Idempotency-Key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.admission.headers import MAX_KEY_CHARACTERS, idempotency_key
from frontdesk.errors import InvalidQuery

visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=MAX_KEY_CHARACTERS)


@given(key=visible.filter(lambda key: not key.startswith('"')))
def test_a_key_is_the_same_bare_and_as_a_string_in_quotation_marks(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert idempotency_key(key, batch=False) == idempotency_key(f'"{quoted}"', batch=False) == key


def test_without_the_header_there_is_no_key_whatever_the_request() -> None:
    assert idempotency_key(None, batch=False) is None
    assert idempotency_key(None, batch=True) is None


@pytest.mark.parametrize("wrong", ["", " ", "two words", '""', '"two words"', "x" * 256, "clé", "a\x00b"])
def test_what_is_none_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        idempotency_key(wrong, batch=False)
    assert len(wrong) < 4 or wrong not in str(refused.value)


def test_a_batch_has_no_key() -> None:
    with pytest.raises(InvalidQuery, match="a batch has several"):
        idempotency_key("a-key", batch=True)
