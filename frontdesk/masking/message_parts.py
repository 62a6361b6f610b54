"""Mask the parts of a message that are not evaluated: quotations, signatures, footers and transcripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frontdesk.masking import mask_steps
from frontdesk.time_slicing import CooperativeSteps
from frontdesk.types import MaskedPart, MaskedText, Part

PIECE_CHARACTERS = 4_000
"""Longer parts are masked in pieces of whole lines of about this length, so that no step takes long."""


def mask_parts_steps(parts: Sequence[Part], own: MaskedText) -> CooperativeSteps[tuple[MaskedPart, ...]]:
    """Mask parts one after the other, with the placeholders of the customer's own text continued.

    A value gets the same placeholder in all parts. Placeholders that somebody typed are rewritten. A generator, for
    `frontdesk.time_slicing`.
    """
    masked, known = [], own
    for part in parts:
        pieces = []
        for piece in _pieces(part.text):
            known = yield from mask_steps(piece, known)
            pieces.append(known.neutralize(known.text))
            yield
        masked.append(MaskedPart(part.kind, "".join(pieces)))
    return tuple(masked)


def _pieces(text: str) -> Iterator[str]:
    """Split a text after line breaks, or after `PIECE_CHARACTERS` in longer lines."""
    start = 0
    while len(text) - start > PIECE_CHARACTERS:
        end = text.rfind("\n", start, start + PIECE_CHARACTERS) + 1 or start + PIECE_CHARACTERS
        yield text[start:end]
        start = end
    yield text[start:]
