"""Tensors of the Open Inference Protocol, and how strings lie in the bytes of one.

Of the protocol's types two are used here: BYTES, whose elements are byte strings, and FP32. In binary form elements
follow each other row by row without padding, little-endian; one of BYTES is its length in four bytes, then itself
("binary tensor data extension"; raw contents over gRPC are the same bytes). Knows no model and no request.
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
    """One input as a caller sent it: nothing of it has been checked.

    `data` is the binary form of all elements, or the elements themselves, which JSON leaves open what they are.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | Sequence[Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """One output: strings (one dimension) where `datatype` is BYTES, else float32 of the same shape."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: Sequence[str] | Floats

    def binary(self) -> bytes:
        if isinstance(self.values, np.ndarray):
            return self.values.astype("<f4", copy=False).tobytes()
        return write_elements(value.encode() for value in self.values)

    def to_list(self) -> list[Any]:
        """All elements, row by row, as JSON can say them."""
        return self.values.ravel().tolist() if isinstance(self.values, np.ndarray) else list(self.values)


def read_elements(raw: bytes, count: int) -> list[bytes]:
    """The elements of a BYTES tensor from its binary form.

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


def write_elements(elements: Iterable[bytes]) -> bytes:
    """The binary form of a BYTES tensor."""
    return b"".join(_LENGTH.pack(len(element)) + element for element in elements)
