from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.oip.inference import InferenceRequest, check_tensor_parameters, infer, read_texts
from bentos.oip.tensors import InputTensor, OutputTensor, encode_bytes_tensor
from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, InvalidQuery, NotFound
from frontdesk.masking.masked_message import mask_message_steps
from frontdesk.time_slicing import TimeSlicer, run_steps
from tests.support.open_inference import FakeModels


def text(*elements: Any, **changed: Any) -> InputTensor:
    given = {"name": "text", "datatype": "BYTES", "shape": (len(elements),), "data": elements}
    return InputTensor(**{**given, **changed})


async def infer_texts(models: FakeModels, *inputs: InputTensor, **changed: Any) -> dict[str, OutputTensor]:
    inference = InferenceRequest(**{"model": "ensemble", "version": "", "inputs": inputs, **changed})
    return {
        output.name: output
        for output in await infer(models, mask_message_steps, inference, Deadline.after(5), TimeSlicer())
    }


async def test_every_output_has_a_row_for_each_text() -> None:
    outputs = await infer_texts(FakeModels(), text("abc", b"ab"))
    assert {name: output.shape for name, output in outputs.items()} == {
        "intent": (2,),
        "intent_probabilities": (2, 3),
        "sentiment": (2,),
        "sentiment_probabilities": (2, 3),
        "out_of_scope_probability": (2,),
    }
    assert outputs["intent"].values == ["refund", "cancel"]
    assert outputs["sentiment"].values == ["neutral", "neutral"]
    np.testing.assert_array_equal(outputs["intent_probabilities"].values, [[0.5, 0.125, 0.125], [0.125, 0.125, 0.5]])
    np.testing.assert_array_equal(outputs["out_of_scope_probability"].values, [0.25, 0.25])


async def test_a_member_is_called_by_its_name_and_has_no_out_of_scope_output() -> None:
    models = FakeModels()
    outputs = await infer_texts(models, text("abc"), model="trees", version=models.version)
    assert [model for model, _ in models.seen] == ["trees"]
    assert "out_of_scope_probability" not in outputs


async def test_models_get_masked_texts() -> None:
    models = FakeModels()
    await infer_texts(models, text("write to tom@example.com"))
    assert models.seen == [("ensemble", ("write to [EMAIL_1]",))]


async def test_only_the_requested_outputs_are_returned_in_that_order() -> None:
    outputs = await infer_texts(FakeModels(), text("abc"), outputs=("sentiment", "intent"))
    assert list(outputs) == ["sentiment", "intent"]


@pytest.mark.parametrize("outputs", [("intents",), ("intent", "intent"), ("",)])
async def test_an_unknown_or_repeated_output_is_refused_before_any_model_runs(outputs: tuple[str, ...]) -> None:
    models = FakeModels()
    with pytest.raises(InvalidQuery, match="there are intent, "):
        await infer_texts(models, text("abc"), outputs=outputs)
    assert models.seen == []


@pytest.mark.parametrize(("model", "version"), [("nobody", ""), ("ensemble", "2")])
async def test_another_model_or_version_is_not_found(model: str, version: str) -> None:
    with pytest.raises(NotFound):
        await infer_texts(FakeModels(), text("abc"), model=model, version=version)


async def test_a_deadline_that_has_passed_is_the_protocols_error_too() -> None:
    inference = InferenceRequest("ensemble", "", (text("abc"),))
    with pytest.raises(DeadlineExceeded):
        await infer(FakeModels(), mask_message_steps, inference, Deadline.after(-1), TimeSlicer())


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ((), "one input"),
        ((text("secret"), text("secret")), "one input"),
        ((text("secret", name="secret"),), "one input"),
        ((text(1.0, datatype="FP32"),), "datatype BYTES"),
        ((text("secret", datatype="bytes"),), "datatype BYTES"),
        ((text("secret", shape=()),), r"shape \[n\]"),
        ((text("secret", shape=(1, 2)),), r"shape \[n\] or \[n, 1\]"),
        ((text(shape=(0,)),), r"shape \[n\]"),
        ((text("secret", shape=(-1,)),), r"shape \[n\]"),
        ((text("secret", shape=(2**62,), data=b"\1\0\0\0a"),), r"shape \[n\]"),
        ((text(*["secret"] * 257),), r"shape \[n\]"),
        ((text("secret", shape=(2,)),), "has 1 elements"),
        ((text("secret", data=b"\x09\0\0\0secret"),), "longer"),
        ((text("ok", "secret\0"),), "Element 1.*NUL"),
        ((text("ok", " \n "),), "Element 1.*blanks"),
        ((text(""),), "Element 0.*at least 1"),
        ((text("secret" * 11_000),), "Element 0.*65536"),
        ((text(b"secret\xff"),), "Element 0.*UTF-8"),
        ((text(b"\xed\xa0\x80"),), "UTF-8"),
        ((text(17),), "valid string"),
        ((text(["secret"]),), "valid string"),
        ((text(None),), "valid string"),
        ((text(float("nan")),), "valid string"),
    ],
)
def test_malformed_inputs_are_refused_without_repeating_them(inputs: tuple[InputTensor, ...], says: str) -> None:
    with pytest.raises(InvalidQuery, match=says) as refused:
        run_steps(read_texts(inputs))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("parameter", ["shared_memory_region", "classification"])
def test_extensions_that_would_change_the_answer_are_refused_and_others_ignored(parameter: str) -> None:
    check_tensor_parameters(["priority", "anything"])
    with pytest.raises(InvalidQuery, match=parameter):
        check_tensor_parameters(["priority", parameter])


_ELEMENTS = st.one_of(
    st.text(max_size=8), st.binary(max_size=8), st.integers(), st.none(), st.lists(st.text(max_size=2))
)
_INPUTS = st.builds(
    InputTensor,
    name=st.sampled_from(["text", "texts"]),
    datatype=st.sampled_from(["BYTES", "FP32", ""]),
    shape=st.lists(st.integers(-2, 3), max_size=2).map(tuple),
    data=st.one_of(st.binary(max_size=24), st.lists(_ELEMENTS, max_size=3)),
)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1)])
def test_a_dimension_of_one_behind_the_batch_is_accepted(shape: tuple[int, ...]) -> None:
    assert run_steps(read_texts([text("first", "second", shape=shape)])) == ["first", "second"]
    binary = text(data=encode_bytes_tensor([b"first", b"second"]), shape=shape)
    assert run_steps(read_texts([binary])) == ["first", "second"]


@given(st.lists(_INPUTS, max_size=2))
def test_any_input_is_read_as_texts_or_refused(inputs: list[InputTensor]) -> None:
    try:
        texts = run_steps(read_texts(inputs))
    except InvalidQuery:
        return
    assert all(isinstance(element, str) and 1 <= len(element) <= 65_536 for element in texts)
    assert inputs[0].shape in [(len(texts),), (len(texts), 1)]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=10))
def test_texts_are_the_same_in_binary_and_as_elements(texts: list[str]) -> None:
    binary = text(data=encode_bytes_tensor(element.encode() for element in texts), shape=(len(texts),))
    try:
        read = run_steps(read_texts([text(*texts)]))
    except InvalidQuery:
        with pytest.raises(InvalidQuery):
            run_steps(read_texts([binary]))
        return
    assert read == texts == run_steps(read_texts([binary]))
