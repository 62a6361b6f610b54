from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor

from bentos.oip.tensors import OutputTensor, decode_bytes_tensor, encode_bytes_tensor
from frontdesk.errors import InvalidQuery


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_elements_are_read_as_they_were_written(elements: list[bytes]) -> None:
    assert decode_bytes_tensor(encode_bytes_tensor(elements), len(elements)) == elements


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=20))
def test_the_binary_form_is_that_of_tritons_client(elements: list[bytes]) -> None:
    theirs = serialize_byte_tensor(np.array(elements, dtype=np.object_)).item()
    assert encode_bytes_tensor(elements) == theirs
    assert list(deserialize_bytes_tensor(encode_bytes_tensor(elements))) == elements


@given(st.binary(max_size=60), st.integers(0, 5))
def test_any_bytes_are_either_exactly_that_many_elements_or_refused(raw: bytes, count: int) -> None:
    try:
        elements = decode_bytes_tensor(raw, count)
    except InvalidQuery:
        return
    assert len(elements) == count
    assert encode_bytes_tensor(elements) == raw


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=5), st.data())
def test_too_few_or_too_many_bytes_are_refused(elements: list[bytes], data: st.DataObject) -> None:
    whole = encode_bytes_tensor(elements)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for raw in (whole[:cut], whole + b"\0"):
        with pytest.raises(InvalidQuery):
            decode_bytes_tensor(raw, len(elements))


def test_a_length_of_four_gigabytes_without_data_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="longer than what is left"):
        decode_bytes_tensor(b"\xff\xff\xff\xffab", 1)


def test_numbers_are_written_row_by_row_in_little_endian_float32() -> None:
    tensor = OutputTensor("p", "FP32", (2, 2), np.array([[1.0, 0.5], [0.25, 0.0]], np.float32).T)
    assert tensor.to_list() == [1.0, 0.25, 0.5, 0.0]
    assert np.frombuffer(tensor.binary(), "<f4").tolist() == tensor.to_list()


def test_strings_are_written_as_utf_8() -> None:
    tensor = OutputTensor("intent", "BYTES", (2,), ("é", "b"))
    assert tensor.binary() == b"\x02\x00\x00\x00\xc3\xa9\x01\x00\x00\x00b"
    assert tensor.to_list() == ["é", "b"]
