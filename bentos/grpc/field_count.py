"""How many fields a protobuf message holds, counted in its bytes before anything is built of it.

An empty message takes two bytes on the wire and 70 in memory: 8 MB of them cost 290 MB. The count follows the wire
format (https://protobuf.dev/programming-guides/encoding/) into the messages that the schema knows. It stops at a limit,
so it takes milliseconds whatever the size.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from frontdesk.errors import InvalidQuery

MOST_FIELDS = 4096
"""A batch of 256 queries with every field has 2,816."""
DEEPEST = 16
BYTES_A_PACKED_NUMBER = 8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_fields(raw: bytes, message: Descriptor, most: int = MOST_FIELDS) -> None:
    """Refuse a message with more than `most` fields, those of messages in it and the numbers of lists counted.

    Bytes that are no message are left to the parser.

    Raises:
        InvalidQuery: there are more.
    """
    try:
        _count(raw, 0, len(raw), message, most, DEEPEST)
    except (IndexError, ValueError):
        return


def _count(raw: bytes, at: int, end: int, message: Descriptor | None, left: int, depth: int) -> int:
    """How many of the `left` fields are left behind the message in raw[at:end]."""
    fields = message.fields_by_number if message is not None else {}
    while at < end:
        left -= 1
        tag, at = _varint(raw, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(raw, at)
        elif kind == _FIXED64:
            at += 8
        elif kind == _FIXED32:
            at += 4
        elif kind == _BYTES:
            length, at = _varint(raw, at)
            field = fields.get(tag >> 3)
            if field is None:
                pass
            elif field.type == FieldDescriptor.TYPE_MESSAGE and depth:
                left = _count(raw, at, min(at + length, end), field.message_type, left, depth - 1)
            elif field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
                left -= length // BYTES_A_PACKED_NUMBER
            at += length
        else:  # groups, which the schema does not have
            raise ValueError(kind)
        if left < 0:
            raise InvalidQuery(
                f"The message holds more than {MOST_FIELDS} fields.", hint="Send fewer queries or texts at once."
            )
    return left


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it; raises `IndexError` or `ValueError` where there is none."""
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(shift)
