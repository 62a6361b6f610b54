from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput, InferResult

from bentos.oip.http_codec import encode_inference_response, parse_index_request, parse_inference_body
from bentos.oip.inference import read_texts
from bentos.oip.tensors import InputTensor, OutputTensor
from frontdesk.errors import InvalidQuery
from frontdesk.time_slicing import run_steps

TEXTS = ["Where is my parcel?", "Où est-il ? 包裹"]
TEXT = {"name": "text", "shape": [1], "datatype": "BYTES"}


def written(binary: bool, **more: Any) -> tuple[bytes, str | None]:
    """A body from Triton's client, and its header."""
    given = InferInput("text", [len(TEXTS)], "BYTES")
    given.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), binary_data=binary)
    body, length = InferenceServerClient.generate_request_body([given], **more)
    return body, None if length is None else str(length)


@pytest.mark.parametrize("binary", [True, False])
def test_a_body_of_tritons_client_is_read(binary: bool) -> None:
    request = run_steps(parse_inference_body(*written(binary, request_id="7")))
    assert request.id == "7"
    assert request.binary
    assert run_steps(read_texts(request.inputs)) == TEXTS


def test_each_output_is_binary_or_not_as_its_parameter_says() -> None:
    outputs = [InferRequestedOutput("intent", binary_data=False), InferRequestedOutput("sentiment")]
    assert run_steps(parse_inference_body(*written(True, outputs=outputs))).outputs == (
        ("intent", False),
        ("sentiment", True),
    )


def test_an_output_without_the_parameter_is_as_the_request_says() -> None:
    body = {"inputs": [{**TEXT, "data": ["a"]}], "outputs": [{"name": "intent"}]}
    assert run_steps(parse_inference_body(json.dumps(body).encode(), None)).outputs == (("intent", False),)
    body["parameters"] = {"binary_data_output": True}
    assert run_steps(parse_inference_body(json.dumps(body).encode(), None)).outputs == (("intent", True),)


def test_binary_data_is_assigned_in_the_order_of_the_inputs() -> None:
    sizes = [{**TEXT, "parameters": {"binary_data_size": size}} for size in (2, 0, 1)]
    head = json.dumps({"inputs": [*sizes, {**TEXT, "data": ["a"]}]}).encode()
    assert [tensor.data for tensor in run_steps(parse_inference_body(head + b"abc", str(len(head)))).inputs] == [
        b"ab",
        b"",
        b"c",
        ["a"],
    ]


@pytest.mark.parametrize("size", [4, 6, 2**63, 10**30])
def test_declared_sizes_must_match_the_data_exactly(size: int) -> None:
    head = json.dumps({"inputs": [{**TEXT, "parameters": {"binary_data_size": size}}]}).encode()
    with pytest.raises(InvalidQuery):
        run_steps(parse_inference_body(head + b"\1\0\0\0a", str(len(head))))


@pytest.mark.parametrize("length", ["", "-1", "1.0", "0x10", "999", "9" * 5000, "²", " 2"])
def test_a_length_of_json_that_the_body_does_not_have_is_refused(length: str) -> None:
    with pytest.raises(InvalidQuery, match="Inference-Header-Content-Length"):
        run_steps(parse_inference_body(b"{}", length))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"inputs": NaN}', "inputs: "),
        (b'{"inputs": "\\ud800"}', "inputs: must not hold half of a surrogate pair"),
        (b'{"inputs": "\xff"}', "inputs: must be UTF-8"),
        (b"[" * 1_000, "not valid JSON"),
        (b"[" * 20_000, "more objects, lists"),
        (b"[]", "the request: "),
        (b"{}", "inputs: "),
        (b'{"inputs": {"secret": 1}}', "inputs: "),
        (b'{"inputs": [{}]}', "inputs.0.name: "),
        (b'{"inputs": [], "id": 7}', "id: "),
        (b'{"inputs": [], "parameters": {"binary_data_output": "secret"}}', "binary_data_output: "),
        (b'{"inputs": [], "outputs": ["secret"]}', "outputs.0: "),
        (b'{"inputs": [], "outputs": [{"name": "a", "parameters": {"classification": 3}}]}', "classification"),
        (b'{"inputs": [{"name": "text", "shape": [1.5], "datatype": "BYTES", "data": ["secret"]}]}', "shape.0: "),
        (b'{"inputs": [{"name": "text", "shape": [1e999], "datatype": "BYTES", "data": ["secret"]}]}', "shape.0: "),
        (b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES"}]}', "either data or"),
        (
            b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["secret"],'
            b' "parameters": {"binary_data_size": 0}}]}',
            "either data or",
        ),
        (
            b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",'
            b' "parameters": {"shared_memory_region": "secret"}}]}',
            "shared_memory_region",
        ),
        (b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": "secret"}]}', "data: "),
    ],
)
def test_a_malformed_body_is_refused_without_repeating_it(body: bytes, says: str) -> None:
    with pytest.raises(InvalidQuery, match=says) as refused:
        run_steps(parse_inference_body(body, None))
    assert "secret" not in str(refused.value)


def test_a_body_of_many_violations_is_refused_by_its_length() -> None:
    with pytest.raises(InvalidQuery, match="at most 8 items"):
        run_steps(parse_inference_body(b'{"inputs": [' + b"{}," * 9 + b"{}]}", None))


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
_TENSOR = st.fixed_dictionaries(
    {},
    optional={
        "name": st.one_of(st.just("text"), _JSON),
        "shape": st.one_of(st.lists(st.integers(-1, 3), max_size=2), _JSON),
        "datatype": st.one_of(st.just("BYTES"), _JSON),
        "data": _JSON,
        "parameters": st.one_of(
            _JSON, st.fixed_dictionaries({}, optional={"binary_data_size": st.one_of(st.integers(-1, 9), _JSON)})
        ),
    },
)
_REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(_TENSOR, max_size=2)}, optional={"id": _JSON, "parameters": _JSON, "outputs": st.lists(_TENSOR)}
)


@given(_REQUEST, st.binary(max_size=12), st.integers(-3, 3))
def test_any_body_is_read_as_tensors_or_refused(request: dict[str, Any], binary: bytes, off: int) -> None:
    head = json.dumps(request).encode()
    try:
        read = run_steps(parse_inference_body(head + binary, str(len(head) + off)))
        run_steps(read_texts(read.inputs))
    except InvalidQuery:
        return
    assert all(isinstance(tensor, InputTensor) for tensor in read.inputs)


OUTPUTS = [
    OutputTensor("intent", "BYTES", (2,), ["refund", "track_order"]),
    OutputTensor("p", "FP32", (2, 2), np.array([[0.1, 0.9], [1 / 3, 2 / 3]], np.float32)),
]


@pytest.mark.parametrize("in_binary", [(True, True), (False, True), (True, False), (False, False)])
def test_tritons_client_reads_responses(in_binary: tuple[bool, bool]) -> None:
    body, length = encode_inference_response(
        {"model_name": "ensemble", "id": "7"}, zip(OUTPUTS, in_binary, strict=True)
    )
    assert (length is None) == (in_binary == (False, False))
    result = InferResult.from_response_body(body, header_length=length)
    assert result.get_response()["id"] == "7"
    assert [str(label, "utf-8") if isinstance(label, bytes) else label for label in result.as_numpy("intent")] == [
        "refund",
        "track_order",
    ]
    np.testing.assert_array_equal(result.as_numpy("p"), OUTPUTS[1].values)


@pytest.mark.parametrize(("body", "wanted"), [(b"", False), (b"{}", False), (b'{"ready": true}', True)])
def test_the_index_has_all_models_unless_only_ready_ones_are_requested(body: bytes, wanted: bool) -> None:
    assert parse_index_request(body) is wanted
    with pytest.raises(InvalidQuery):
        parse_index_request(b'{"ready": "yes"}')


NULLS: dict[str, Any] = {"id": None, "parameters": None, "outputs": None}


@pytest.mark.parametrize(
    "body",
    [
        {**NULLS, "inputs": [{**TEXT, "data": ["a"], "parameters": None}]},
        {"inputs": [{**TEXT, "data": ["a"], "parameters": {"binary_data_size": None, "shared_memory_region": None}}]},
        {"inputs": [{**TEXT, "data": ["a"]}], "parameters": {"binary_data_output": None, "classification": None}},
        {"inputs": [{**TEXT, "data": ["a"]}], "more": None},
    ],
)
def test_null_is_the_same_as_a_missing_field(body: dict[str, Any]) -> None:
    parsed = run_steps(parse_inference_body(json.dumps(body).encode(), None))
    assert (parsed.id, parsed.outputs, parsed.binary) == (None, (), False)
    assert parsed.inputs[0].data == ["a"]


def test_null_in_a_requested_output_leaves_the_default_of_the_request() -> None:
    outputs = [{"name": "intent", "parameters": None}, {"name": "sentiment", "parameters": {"binary_data": None}}]
    body = {"inputs": [{**TEXT, "data": ["a"]}], "outputs": outputs, "parameters": {"binary_data_output": True}}
    parsed = run_steps(parse_inference_body(json.dumps(body).encode(), None))
    assert parsed.outputs == (("intent", True), ("sentiment", True))


def test_null_data_beside_binary_data_is_the_same_as_no_data() -> None:
    head = json.dumps({"inputs": [{**TEXT, "data": None, "parameters": {"binary_data_size": 2}}]}).encode()
    assert run_steps(parse_inference_body(head + b"ab", str(len(head)))).inputs[0].data == b"ab"


@pytest.mark.parametrize(
    ("body", "place"),
    [({"inputs": None}, "inputs"), ({"inputs": [{**TEXT, "name": None, "data": ["a"]}]}, "inputs.0.name"),
     ({"inputs": [{**TEXT, "data": ["a"]}], "outputs": [None]}, "outputs.0")],
)  # fmt: skip
def test_null_in_a_required_field_is_refused_by_its_place(body: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidQuery, match=place):
        run_steps(parse_inference_body(json.dumps(body).encode(), None))


def test_the_index_reads_null_as_absent() -> None:
    assert parse_index_request(b'{"ready": null}') is False
    assert parse_index_request(b'\xef\xbb\xbf{"ready": true}') is True


@pytest.mark.parametrize("filler", ["", "long " * 60_000])
def test_nested_data_is_flattened_in_row_major_order(filler: str) -> None:
    data = [["first"], [["second " * 300]], "third"]
    body = {"inputs": [{**TEXT, "data": data}], "filler": [filler[:60_000]] * 5}
    (tensor,) = run_steps(parse_inference_body(json.dumps(body).encode(), None)).inputs
    assert tensor.data == ["first", "second " * 300, "third"]


def test_a_byte_order_mark_is_part_of_the_declared_length_of_the_json() -> None:
    head = b"\xef\xbb\xbf" + json.dumps({"inputs": [{**TEXT, "parameters": {"binary_data_size": 3}}]}).encode()
    assert run_steps(parse_inference_body(head + b"abc", str(len(head)))).inputs[0].data == b"abc"


@pytest.mark.parametrize("filler", [b"", b"y" * 60_000])
@pytest.mark.parametrize("half", [rb"\ud83d", b"\xed\xa0\xbd"])
def test_half_a_surrogate_pair_is_named_by_its_place(half: bytes, filler: bytes) -> None:
    fill = b",".join([b'"' + filler + b'"'] * 5)
    text = b"x" * (1500 if filler else 3) + half
    body = (
        b'{"filler": ['
        + fill
        + b'], "inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["good", "'
        + text
        + b'"]}]}'
    )
    with pytest.raises(InvalidQuery, match=r"inputs\.0\.data\.1: must not hold half of a surrogate pair") as refused:
        run_steps(parse_inference_body(body, None))
    assert "xxx" not in str(refused.value)
