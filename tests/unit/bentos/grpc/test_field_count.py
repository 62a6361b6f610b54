from __future__ import annotations

import time

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.field_count import MAX_FIELDS, check_field_count
from frontdesk.errors import InvalidQuery

BATCH = pb.BatchRequest.DESCRIPTOR
INFER = service_pb2.ModelInferRequest.DESCRIPTOR


def full_batch() -> pb.BatchRequest:
    query = pb.Query(text="x" * 4000, customer_id="c", session_id="s", language="en", store=False, channel=1,
                     customer_tier=1, waiting_since=Timestamp(seconds=1, nanos=1))  # fmt: skip
    return pb.BatchRequest(queries=[query] * 256)


def full_inference() -> service_pb2.ModelInferRequest:
    request = service_pb2.ModelInferRequest(model_name="ensemble")
    tensor = request.inputs.add(name="text", datatype="BYTES", shape=[256])
    tensor.contents.bytes_contents.extend([b"x" * 16000] * 256)
    return request


def test_the_largest_valid_messages_pass() -> None:
    check_field_count(full_batch().SerializeToString(), BATCH)
    check_field_count(full_inference().SerializeToString(), INFER)


@pytest.mark.parametrize(
    ("raw", "descriptor"),
    [
        (b"\n\0" * 4_190_000, BATCH),  # empty queries
        (b"\x2a\0" * 4_190_000, INFER),  # empty inputs
        (b"\x3a\0" * 4_190_000, INFER),  # empty raw contents
        (b"\x2a\x80\x80\x80\x04\x2a\xfc\xff\xff\x03" + b"\x42\0" * 4_190_000, INFER),  # empty elements in contents
        (b"\xf8\x3f\x01" * 2_700_000, BATCH),  # fields that the schema does not have
    ],
    ids=["queries", "inputs", "raw contents", "elements", "unknown fields"],
)
def test_millions_of_fields_are_refused_quickly(raw: bytes, descriptor: object) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidQuery, match=f"more than {MAX_FIELDS} fields"):
        check_field_count(raw, descriptor)  # type: ignore[arg-type]
    assert time.perf_counter() - started < 0.2


def test_a_list_of_packed_numbers_counts() -> None:
    request = service_pb2.ModelInferRequest()
    request.inputs.add().contents.int64_contents.extend([2**62] * 100_000)
    with pytest.raises(InvalidQuery):
        check_field_count(request.SerializeToString(), INFER)


@given(st.binary(max_size=300))
def test_malformed_bytes_are_left_to_the_parser(raw: bytes) -> None:
    check_field_count(raw, BATCH)
    check_field_count(raw, INFER)
