"""Limits the number of fields in a protobuf message, counted in its bytes before the message is parsed.

An empty submessage takes 2 bytes on the wire and 70 in memory, so 8 MB of them take 290 MB. The count follows the wire
format (https://protobuf.dev/programming-guides/encoding/) into the submessages that the schema defines. It stops at the
limit and takes milliseconds for a message of any size.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from frontdesk.errors import InvalidQuery

MAX_FIELDS = 16_384
"""A batch of 256 queries with every field, eleven headers and a few turns each has about 15,000."""
MAX_DEPTH = 16
PACKED_NUMBER_BYTES = 8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_field_count(raw: bytes, message: Descriptor, max_fields: int = MAX_FIELDS) -> None:
    """Refuse a message with more than `max_fields` fields, including fields of submessages and numbers in lists.

    Malformed messages are not refused here; the parser refuses them.

    Raises:
        InvalidQuery: the message has too many fields.
    """
    try:
        _subtract_field_count(raw, 0, len(raw), message, max_fields, MAX_DEPTH)
    except (IndexError, ValueError):
        return


def _subtract_field_count(raw: bytes, start: int, end: int, message: Descriptor | None, budget: int, depth: int) -> int:
    """Subtract the number of fields of the message in raw[start:end] from `budget` and return the rest."""
    fields = message.fields_by_number if message is not None else {}
    offset = start
    while offset < end:
        budget -= 1
        tag, offset = _varint(raw, offset)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _, offset = _varint(raw, offset)
        elif wire_type == _FIXED64:
            offset += 8
        elif wire_type == _FIXED32:
            offset += 4
        elif wire_type == _BYTES:
            length, offset = _varint(raw, offset)
            field = fields.get(tag >> 3)
            if field is None:
                pass
            elif field.type == FieldDescriptor.TYPE_MESSAGE and depth:
                budget = _subtract_field_count(
                    raw, offset, min(offset + length, end), field.message_type, budget, depth - 1
                )
            elif field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
                budget -= length // PACKED_NUMBER_BYTES
            offset += length
        else:  # groups, which the schema does not have
            raise ValueError(wire_type)
        if budget < 0:
            raise InvalidQuery(
                f"The message holds more than {MAX_FIELDS} fields.", hint="Send fewer queries or texts at once."
            )
    return budget


def _varint(raw: bytes, offset: int) -> tuple[int, int]:
    """Return the varint at an offset and the offset after it; raises `IndexError` or `ValueError` if malformed."""
    value = shift = 0
    while True:
        byte = raw[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
        if shift > 63:
            raise ValueError(shift)
