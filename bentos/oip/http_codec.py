"""Bodies of the Open Inference Protocol over REST: JSON, followed by the binary data of tensors that are not in JSON.

    | inference request or response as JSON | data of one tensor | data of the next | ...

The header Inference-Header-Content-Length has the length of the JSON, and `binary_data_size` of a tensor the length of
its binary data ("binary tensor data extension"). The content of tensors is checked in `inference.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json, to_json

from bentos.oip.inference import check_tensor_parameters, first_violation
from bentos.oip.tensors import InputTensor, OutputTensor
from bentos.schemas.json_bounds import MAX_BATCH_ITEMS, check_json_structure, extract_long_strings
from bentos.schemas.json_text import find_undecodable_strings, strip_byte_order_mark, undecodable_string_problem
from frontdesk.errors import InvalidQuery
from frontdesk.time_slicing import CooperativeSteps, run_steps

LARGE_BYTES = 262_144
"""In a larger body, long strings are removed before parsing and then parsed one by one."""
MAX_DIMENSIONS = 8
_NAMES = frozenset({"id", "inputs", "outputs", "parameters", "name", "shape", "datatype", "data"})
_LONGEST_NUMBER = 10  # digits of Inference-Header-Content-Length


Parsed = TypeVar("Parsed", bound=BaseModel)


class _RequestModel(BaseModel):
    """Base of request models. Unknown fields are ignored, because the protocol may be extended.

    An optional field that is null counts as absent: clients with typed requests send null for what is not set.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or None not in fields.values():
            return fields
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {name: value for name, value in fields.items() if value is not None or name in required}


class _ParametersIn(_RequestModel):
    model_config = ConfigDict(extra="allow")

    binary_data_size: Annotated[int, Field(ge=0)] | None = None
    binary_data: bool | None = None
    binary_data_output: bool = False


class _TensorIn(_RequestModel):
    """A requested output."""

    name: str
    parameters: _ParametersIn = _ParametersIn()


class _InputIn(_TensorIn):
    shape: Annotated[list[int], Field(max_length=MAX_DIMENSIONS)]
    datatype: str
    data: Annotated[list[Any], Field(max_length=MAX_BATCH_ITEMS)] | None = None


class _InferenceIn(_RequestModel):
    """An inference request. Lists are bounded, so that an invalid body cannot cause millions of violations."""

    id: str | None = None
    parameters: _ParametersIn = _ParametersIn()
    inputs: Annotated[list[_InputIn], Field(max_length=8)]
    outputs: Annotated[list[_TensorIn], Field(max_length=16)] = []


class _RepositoryIndexIn(_RequestModel):
    ready: bool = False


@dataclass(frozen=True, slots=True)
class InferenceBody:
    """A parsed request. `outputs` are names and whether each is to be binary; `binary` is the default for others."""

    id: str | None
    inputs: tuple[InputTensor, ...]
    outputs: tuple[tuple[str, bool], ...]
    binary: bool


def parse_inference_body(body: bytes, json_length: str | None) -> CooperativeSteps[InferenceBody]:
    """Read a request. `json_length` is the header with the length of the JSON; None for a body without binary data.

    A generator, for `frontdesk.time_slicing`.

    Raises:
        InvalidQuery: the request is invalid. The message never contains input.
    """
    end = len(body) if json_length is None else _parse_json_length(json_length, len(body))
    json_part = strip_byte_order_mark(body[:end])
    pieces = yield from check_json_structure(json_part)
    strings: dict[str, bytes] = {}
    if len(json_part) > LARGE_BYTES:
        json_part, strings = yield from extract_long_strings(json_part, pieces, f"{secrets.token_hex(8)}-")
    request = _parse_json(_InferenceIn, json_part)
    texts: dict[str, str | InvalidQuery] = {}
    for name, string in strings.items():
        yield
        texts[name] = _parse_json_string(string)
    binary = request.parameters.binary_data_output
    outputs = tuple(
        (output.name, binary if output.parameters.binary_data is None else output.parameters.binary_data)
        for output in request.outputs
    )
    for tensor in (*request.inputs, *request.outputs):
        check_tensor_parameters(tensor.parameters.model_extra or ())
    return InferenceBody(request.id, _build_input_tensors(request.inputs, body[end:], texts), outputs, binary)


def parse_index_request(body: bytes) -> bool:
    """Read a request for the index. Return whether only ready models are requested. The body may be empty."""
    if not body:
        return False
    json_part = strip_byte_order_mark(body)
    run_steps(check_json_structure(json_part))
    return _parse_json(_RepositoryIndexIn, json_part).ready


def encode_inference_response(
    head: Mapping[str, Any], outputs: Iterable[tuple[OutputTensor, bool]]
) -> tuple[bytes, int | None]:
    """Write a response: `head` and each output, in binary if its flag is True.

    Returns:
        The body and the length of its JSON; None if the body is only JSON.
    """
    descriptions, binaries = [], []
    for output, binary in outputs:
        tensor = {"name": output.name, "datatype": output.datatype, "shape": output.shape}
        if binary:
            binaries.append(output.binary())
            descriptions.append({**tensor, "parameters": {"binary_data_size": len(binaries[-1])}})
        else:
            descriptions.append({**tensor, "data": output.to_list()})
    json_part = to_json({**head, "outputs": descriptions})
    return b"".join((json_part, *binaries)), len(json_part) if binaries else None


def _parse_json_length(json_length: str, available: int) -> int:
    if not (json_length.isdecimal() and len(json_length) <= _LONGEST_NUMBER and int(json_length) <= available):
        raise InvalidQuery("Inference-Header-Content-Length must be a number of bytes that the body has.")
    return int(json_length)


def _parse_json(model: type[Parsed], raw: bytes) -> Parsed:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_input=False, include_context=False)
        if first["type"] == "json_invalid":
            raise _invalid_json(raw) from None
        location = ".".join(str(part) for part in first["loc"]) or "the request"
        raise InvalidQuery(f"{location}: {first_violation(error)}.") from None


def _invalid_json(raw: bytes) -> InvalidQuery:
    """The error for a request that the parser refuses. Names the first string that is not text, by its place."""
    undecodable = find_undecodable_strings(raw)
    if undecodable is None:
        return InvalidQuery("The request is not valid JSON.")
    place, problem = undecodable.violations[0]
    is_known = all(isinstance(part, int) or part in _NAMES for part in place)
    location = ".".join(str(part) for part in place) if place and is_known else "a string of the request"
    return InvalidQuery(f"{location}: {problem}.")


def _parse_json_string(string: bytes) -> str | InvalidQuery:
    """The text of a JSON string, or the error, which is raised when the place of the string is known."""
    try:
        text: str = from_json(string)
    except ValueError:
        problem = undecodable_string_problem(string)
        return InvalidQuery(problem or "is not valid JSON")
    return text


def _build_input_tensors(
    tensors: Sequence[_InputIn], binary: bytes, texts: Mapping[str, str | InvalidQuery]
) -> tuple[InputTensor, ...]:
    inputs, offset = [], 0
    for number, tensor in enumerate(tensors):
        size = tensor.parameters.binary_data_size
        if (size is None) == (tensor.data is None):
            raise InvalidQuery("Each input must have either data or the parameter binary_data_size.")
        if size is None:
            data: bytes | list[Any] = list(_flatten(tensor.data or []))
            if texts:
                data = [texts.get(element, element) if isinstance(element, str) else element for element in data]
                _check_texts(data, f"inputs.{number}.data")
        else:
            data = binary[offset : offset + size]
            offset += size
        inputs.append(InputTensor(tensor.name, tensor.datatype, tuple(tensor.shape), data))
    if offset != len(binary):
        raise InvalidQuery(f"By binary_data_size there are {offset} bytes behind the JSON; there are {len(binary)}.")
    return tuple(inputs)


def _flatten(elements: Sequence[Any], depth: int = 1) -> Iterator[Any]:
    """Yield the elements of nested lists in row-major order: the protocol allows nested and flat data."""
    for element in elements:
        if isinstance(element, list) and depth < MAX_DIMENSIONS:
            yield from _flatten(element, depth + 1)
        else:
            yield element


def _check_texts(elements: Sequence[Any], location: str) -> None:
    """Raise the error of the first element that is not text; only long strings are parsed separately."""
    for index, element in enumerate(elements):
        if isinstance(element, InvalidQuery):
            raise InvalidQuery(f"{location}.{index}: {element}.")
