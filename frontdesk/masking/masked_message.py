"""Mask a message that was split into parts.

A value may be announced in another part: "> Your customer number, please?" above "55108827". So personal data is
searched in windows of the whole text, and each value is replaced in the part that has it. Windows with text of the
customer's own are masked first, because the models need it; the others when the message is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from frontdesk.masking import FoundValues, Placeholders, find_values_steps, mask_steps
from frontdesk.masking.name_tagger import NameTagger
from frontdesk.masking.spans import Span
from frontdesk.time_slicing import CooperativeSteps, run_steps
from frontdesk.types import MaskedPart, MaskedText, Message, Part, PartKind

CONTEXT_CHARACTERS = 1_000
"""Text of a long part that is searched together with the text next to the part."""
MAX_WINDOW_CHARACTERS = 4_000
"""Limit of a window, so that no step takes long."""


@dataclass(frozen=True, slots=True)
class MaskedMessage:
    """A message whose own text is masked.

    `subject` is the masked subject if it is not part of the own text, for the values that the own text lacks. `values`
    are the spans of `message.source` that were found so far.
    """

    message: Message
    own: MaskedText
    subject: str = ""
    values: tuple[Span, ...] = ()
    tagger: NameTagger | None = None


class _Window(NamedTuple):
    start: int
    end: int
    has_own_text: bool


def mask_message(message: Message, tagger: NameTagger | None = None) -> MaskedMessage:
    """Mask the customer's own text of a message. Equal values get the same placeholder, numbered in reading order."""
    return run_steps(mask_message_steps(message, tagger))


def mask_message_steps(message: Message, tagger: NameTagger | None = None) -> CooperativeSteps[MaskedMessage]:
    """Run `mask_message` as a generator, for `frontdesk.time_slicing`."""
    if not message.other_parts:
        return MaskedMessage(message, (yield from mask_steps(message.own, tagger)))
    values = yield from _find_in_windows(message, tagger, has_own_text=True)
    placeholders = Placeholders((message.source, values.folded))
    own_parts = (part for part in message.parts if message.is_own(part) and part.text.strip())
    pieces = [_replace_in(part, values.spans, placeholders) for part in own_parts]
    subject = (
        ""
        if message.subject_is_own or not message.subject
        else _replace_in(message.subject, values.spans, placeholders)
    )
    own = MaskedText("\n".join(pieces), placeholders.originals)
    return MaskedMessage(message, own, own.neutralize(subject), tuple(values.spans), tagger)


def mask_other_parts_steps(masked: MaskedMessage) -> CooperativeSteps[tuple[MaskedPart, ...]]:
    """Mask the parts that are not evaluated. A value gets the same placeholder in all parts of the message.

    Placeholders that a customer typed are rewritten. A generator, for `frontdesk.time_slicing`.
    """
    message = masked.message
    values = yield from _find_in_windows(message, masked.tagger, has_own_text=False)
    spans = sorted((*masked.values, *values.spans))
    placeholders = Placeholders((message.source, values.folded))
    placeholders.continue_after(masked.own)
    parts = []
    for part in message.other_parts:
        text = placeholders.replace(part.text, _clipped(spans, part.start, part.end))
        parts.append(MaskedPart(part.kind, MaskedText(text, placeholders.originals).neutralize(text)))
        yield
    return tuple(parts)


def _find_in_windows(
    message: Message, tagger: NameTagger | None, *, has_own_text: bool
) -> CooperativeSteps[FoundValues]:
    """Find personal data in the windows with own text, or in the others. Spans are those of the source."""
    spans: list[Span] = []
    folded: list[str] = []
    for window in _windows(message):
        if window.has_own_text is has_own_text:
            values = yield from find_values_steps(message.source[window.start : window.end], tagger)
            spans += [(start + window.start, end + window.start, kind) for start, end, kind in values.spans]
            folded.append(values.folded)
            yield
    return FoundValues(spans, "\n".join(folded))


def _windows(message: Message) -> Iterator[_Window]:
    """Cut the source of a message into windows, inside of long parts that are not evaluated, after line breaks."""
    source, start, has_own_text = message.source, 0, False
    for part in message.parts:
        if part.end - start > MAX_WINDOW_CHARACTERS and part.start > start:
            yield _Window(start, part.start, has_own_text)
            start, has_own_text = part.start, False
        if message.is_own(part) or part.kind is PartKind.SUBJECT:
            has_own_text = True
        elif part.end - part.start > 2 * CONTEXT_CHARACTERS:
            head = _line_end(source, part.start, part.start + CONTEXT_CHARACTERS)
            yield _Window(start, head, has_own_text)
            tail = _line_end(source, head, part.end - CONTEXT_CHARACTERS)
            while tail - head > MAX_WINDOW_CHARACTERS:
                end = _line_end(source, head, head + MAX_WINDOW_CHARACTERS)
                yield _Window(head, end, has_own_text=False)
                head = end
            yield _Window(head, tail, has_own_text=False)
            start, has_own_text = tail, False
    yield _Window(start, len(source), has_own_text)


def _replace_in(part: Part, spans: Sequence[Span], placeholders: Placeholders) -> str:
    """Return the text of a part without surrounding blanks, masked."""
    text = part.text.strip()
    start = part.start + len(part.text) - len(part.text.lstrip())
    return placeholders.replace(text, _clipped(spans, start, start + len(text)))


def _line_end(source: str, start: int, end: int) -> int:
    """Return the position after the last line break in `source[start:end]`, or `end` without a line break."""
    return source.rfind("\n", start, end) + 1 or end


def _clipped(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """Yield the spans inside of start to end, relative to `start`. A span across a border is cut there."""
    for index in range(bisect_right(spans, start, key=_SPAN_END), len(spans)):
        low, high, kind = spans[index]
        if low >= end:
            break
        yield max(low, start) - start, min(high, end) - start, kind


_SPAN_END = itemgetter(1)
