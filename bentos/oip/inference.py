"""One inference over HTTP or gRPC: check the tensors, mask the texts, run the model, select the outputs.

    inputs -> texts -> own texts -> masked texts -> scores -> outputs

Invalid requests raise `InvalidQuery` or `NotFound`, whose messages name the place and never contain input. Texts have
the same rules as in `/v1/understand`. Independent of the transport.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from bentos.oip.model_metadata import TEXT, ServedModels, TensorSpec, check_model_exists, list_outputs
from bentos.oip.tensors import InputTensor, OutputTensor, decode_bytes_tensor
from bentos.schemas.json_bounds import MAX_BATCH_ITEMS
from bentos.schemas.queries import QueryIn, violation_message
from frontdesk.deadline import Deadline
from frontdesk.errors import InvalidQuery
from frontdesk.masking.masked_message import MaskedMessage
from frontdesk.messages.limits import parse_message
from frontdesk.scores import Floats, Scores
from frontdesk.time_slicing import CooperativeSteps, TimeSlicer, chain_steps
from frontdesk.types import IncomingMessage, Message

_UNSUPPORTED_PARAMETERS = frozenset({"classification", "shared_memory_region"})
"""Parameters of Triton's extensions that cannot be ignored, because they change or replace the tensor."""


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request. An empty `version` means the current version, empty `outputs` mean all outputs."""

    model: str
    version: str
    inputs: tuple[InputTensor, ...]
    outputs: tuple[str, ...] = ()


async def infer(
    models: ServedModels,
    mask_steps: Callable[[Message], CooperativeSteps[MaskedMessage]],
    request: InferenceRequest,
    deadline: Deadline,
    time_slicer: TimeSlicer,
) -> list[OutputTensor]:
    """Return the requested outputs, in the requested order.

    Raises:
        NotFound: the model or its version does not exist.
        InvalidQuery: the tensors do not match the inputs and outputs of the model.
        DeadlineExceeded: the deadline passed before the model had run.
    """
    check_model_exists(models, request.model, request.version)
    specs = _select_outputs(list_outputs(models, request.model), request.outputs)
    texts = await time_slicer.run(read_texts(request.inputs), deadline, "the texts were read")
    messages = await time_slicer.run(_parse_messages(texts), deadline, "the texts were parsed")
    models.check_batch([len(message.own) for message in messages], deadline)
    masked = await time_slicer.run(chain_steps(mask_steps, messages), deadline, "the texts were masked")
    own_texts = [item.own for item in masked]
    scores = await deadline.wait_for(models.scores(request.model, own_texts, deadline), "the model read the texts")
    return [_output(spec, scores, models) for spec in specs]


def read_texts(inputs: Sequence[InputTensor]) -> CooperativeSteps[list[str]]:
    """Read the texts of the only input of every model; raises `InvalidQuery` if the input is malformed.

    A generator, for `frontdesk.time_slicing`.
    """
    if len(inputs) != 1 or inputs[0].name != TEXT.name:
        raise InvalidQuery(f"There must be one input, named '{TEXT.name}'.")
    (tensor,) = inputs
    if tensor.datatype != TEXT.datatype:
        raise InvalidQuery(f"The input '{TEXT.name}' must be of datatype {TEXT.datatype}.")
    count, *inner = tensor.shape or (0,)
    if not 1 <= count <= MAX_BATCH_ITEMS or any(size != 1 for size in inner):
        raise InvalidQuery(f"The input '{TEXT.name}' must have the shape [n] or [n, 1], n from 1 to {MAX_BATCH_ITEMS}.")
    elements = decode_bytes_tensor(tensor.data, count) if isinstance(tensor.data, bytes) else tensor.data
    if len(elements) != count:
        raise InvalidQuery(f"The input '{TEXT.name}' has {len(elements)} elements; by its shape it has {count}.")
    texts = []
    for row, element in enumerate(elements):
        texts.append(_read_text_element(element, row))
        yield
    return texts


def _parse_messages(texts: Sequence[str]) -> CooperativeSteps[list[Message]]:
    """Parse each text as `/v1/understand` does: only the customer's own text is evaluated.

    Raises `InvalidQuery` if a message has no visible character, or too much own text. A generator.
    """
    messages = []
    for row, text in enumerate(texts):
        try:
            messages.append(parse_message(IncomingMessage(text)))
        except InvalidQuery as error:
            ((_, problem),) = error.violations
            raise InvalidQuery(f"{_location(row)}: {problem}.") from None
        yield
    return messages


def _location(row: int) -> str:
    return f"Element {row} of the input '{TEXT.name}'"


def check_tensor_parameters(parameters: Iterable[str]) -> None:
    """Raise `InvalidQuery` for unsupported parameters of a tensor; other parameters are ignored."""
    if unsupported := _UNSUPPORTED_PARAMETERS.intersection(parameters):
        raise InvalidQuery(f"The parameter {min(unsupported)} is not supported.")


def _read_text_element(element: Any, row: int) -> str:
    location = _location(row)
    try:
        text = element.decode() if isinstance(element, bytes) else element
    except UnicodeDecodeError:
        raise InvalidQuery(f"{location} is not UTF-8.") from None
    try:
        return QueryIn(text=text).text
    except ValidationError as error:
        raise InvalidQuery(f"{location}: {first_violation(error)}.") from None


def first_violation(error: ValidationError) -> str:
    """Describe the first violation, without the input."""
    return violation_message(error.errors(include_url=False, include_input=False)[0])


def _select_outputs(available: tuple[TensorSpec, ...], names: Sequence[str]) -> Sequence[TensorSpec]:
    by_name = {spec.name: spec for spec in available}
    if not by_name.keys() >= set(names) or len(set(names)) < len(names):
        raise InvalidQuery(f"Each output may be requested once; there are {', '.join(by_name)}.")
    return [by_name[name] for name in names] or available


def _output(spec: TensorSpec, scores: Scores, models: ServedModels) -> OutputTensor:
    values = _compute_output_values(spec.name, scores, models)
    return OutputTensor(spec.name, spec.datatype, (len(scores.intent), *spec.shape[1:]), values)


def _compute_output_values(name: str, scores: Scores, models: ServedModels) -> Sequence[str] | Floats:
    match name:
        case "intent":
            return _best_labels(scores.intent, models.labels)
        case "intent_probabilities":
            return scores.intent
        case "sentiment":
            return _best_labels(scores.sentiment, models.sentiments)
        case "sentiment_probabilities":
            return scores.sentiment
        case _:
            out_of_scope: Floats = np.clip(1 - scores.intent.sum(axis=1, dtype=np.float64), 0, 1).astype(np.float32)
            return out_of_scope


def _best_labels(probabilities: Floats, labels: Sequence[str]) -> list[str]:
    return [labels[int(column)] for column in probabilities.argmax(axis=1)]
