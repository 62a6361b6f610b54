"""Tensors of the Open Inference Protocol and their binary form.

Two types of the protocol are used: BYTES, whose elements are byte strings, and FP32. In binary form, elements are
little-endian, in row-major order and without padding; an element of BYTES is its length in four bytes, followed by its
bytes ("binary tensor data extension"). Raw contents over gRPC are the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from frontdesk.errors import InvalidQuery
from frontdesk.scores import Floats

Datatype = Literal["BYTES", "FP32"]

_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class InputTensor:
    """One input as sent by a caller, not validated.

    `data` is the binary form of all elements, or a list of elements of any JSON type.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | Sequence[Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """One output. `values` are strings (one dimension) if `datatype` is BYTES, else float32 with this shape."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: Sequence[str] | Floats

    def binary(self) -> bytes:
        if isinstance(self.values, np.ndarray):
            return self.values.astype("<f4", copy=False).tobytes()
        return encode_bytes_tensor(value.encode() for value in self.values)

    def to_list(self) -> list[Any]:
        """Return all elements in row-major order, as values for JSON."""
        return self.values.ravel().tolist() if isinstance(self.values, np.ndarray) else list(self.values)


def decode_bytes_tensor(raw: bytes, count: int) -> list[bytes]:
    """Read the elements of a BYTES tensor from its binary form.

    Raises:
        InvalidQuery: `raw` is not exactly `count` elements.
    """
    elements, offset = [], 0
    for _ in range(count):
        start = offset + _LENGTH.size
        if start > len(raw):
            raise InvalidQuery(f"The binary data ends before its {count} elements do.")
        offset = start + _LENGTH.unpack_from(raw, offset)[0]
        if offset > len(raw):
            raise InvalidQuery("The binary data has an element that is longer than what is left of it.")
        elements.append(raw[start:offset])
    if offset < len(raw):
        raise InvalidQuery(f"The binary data goes on after its {count} elements.")
    return elements


def encode_bytes_tensor(elements: Iterable[bytes]) -> bytes:
    """Return the binary form of a BYTES tensor."""
    return b"".join(_LENGTH.pack(len(element)) + element for element in elements)
