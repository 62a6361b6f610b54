"""Split an incoming message into the customer's own new text and everything else.

    parse(IncomingMessage(text="Thanks!\\n\\nOn 2 Feb 2026 at 11:40, Shop <help@shop.example> wrote:\\n> Hello")).own
    ->  "Thanks!"

The steps, in order: decode (HTML, entities, mojibake), quoted and forwarded mail, chat transcripts, footers,
signatures. They are repeated on what is left until nothing changes. Text that no step recognizes is own text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from frontdesk.errors import InvalidQuery
from frontdesk.messages.automated_mail import is_automated_by_headers, is_automated_by_text
from frontdesk.messages.flattened import MIN_LINE, mark_flattened_history
from frontdesk.messages.footers import mark_footers, mark_footers_below_signatures, may_be_footer
from frontdesk.messages.lexicons import subject_phrases
from frontdesk.messages.lines import Lines, normalized
from frontdesk.messages.quotations import mark_quotations
from frontdesk.messages.signatures import mark_signatures
from frontdesk.messages.source_text import SourceText, decode_html, decode_text, has_visible_character, repair_mojibake
from frontdesk.messages.transcripts import mark_transcript
from frontdesk.types.message import Act, IncomingMessage, Message, Part, PartKind, Role

MAX_PASSES = 3
MAX_TEXT_LINES = 10_000
MAX_SPANS = 1_000
"""A text of more lines, or of more alternating parts, is no mail: all of it is own text."""
MIN_COLONS = 3
MAX_POINTER = 60
MAX_LINES = 1_000
MAX_CHARACTERS = 24_000
"""Transcripts, footers and signatures are looked for in at most this much text that no quotation covers."""


def parse(incoming: IncomingMessage) -> Message:
    """Split a message into parts and decide its act.

    Raises:
        InvalidQuery: the message has no visible character in any field and no picture.
    """
    body = _decode(incoming)
    texts = (body.text, incoming.subject, *(turn.text for turn in incoming.transcript))
    if not body.has_picture and not any(map(has_visible_character, texts)):
        raise InvalidQuery("The message has no visible character.", violations=(("text", "has no visible character"),))
    spans = _separate(body.text, body.kinds)
    if incoming.transcript:
        spans = _with_transcript(incoming, spans)
    own, subject_is_own = _own_text(spans), False
    subject = repair_mojibake(incoming.subject)
    if has_visible_character(subject):
        spans = [Span(PartKind.SUBJECT, f"{subject}\n"), *spans]
        if subject_is_own := _is_evaluated(subject, own):
            own = "\n".join(filter(None, (subject.strip(), own)))
    return Message(own, _act(incoming.headers, subject, own), *_parts(spans), subject_is_own)


class Span(NamedTuple):
    """A piece of text and its kind; the pieces of a message follow one another without gaps."""

    kind: PartKind
    text: str


def _decode(incoming: IncomingMessage) -> SourceText:
    """The decoded body: the HTML where it has visible text, else the text field."""
    if not incoming.html:
        return decode_text(incoming.text)
    body = decode_html(incoming.html)
    if has_visible_character(body.text):
        return body
    text = decode_text(incoming.text)
    return SourceText(text.text, text.kinds, has_picture=body.has_picture or text.has_picture)


def _separate(text: str, kinds: list[PartKind | None] | None = None) -> list[Span]:
    """Split decoded text into spans; `kinds` has the kind of each line where the markup tells it."""
    if kinds is None and "\n" not in text and "\r" not in text and not _may_have_parts(text):
        return [Span(PartKind.OWN, text)]
    if text.count("\n") > MAX_TEXT_LINES:
        return [Span(PartKind.OWN, text)]
    spans = _marked(text, kinds)
    if len(spans) > MAX_SPANS:
        return [Span(PartKind.OWN, text)]
    for _ in range(MAX_PASSES):
        remaining = "".join(span.text for span in spans if span.kind is PartKind.OWN)
        if len(remaining) == len(text) or not remaining:
            break
        inner = _marked(remaining, None)
        if all(span.kind is PartKind.OWN for span in inner):
            break
        spans = list(_replaced(spans, inner))
    return spans


def _may_have_parts(line: str) -> bool:
    """Return whether a text of one line may be a quotation, footer or picture, or hold history or a transcript."""
    if line[:1] in _OPENING or line.count(":") >= MIN_COLONS or may_be_footer(line):
        return True
    return len(line) >= MIN_LINE and ("@" in line or "---" in line)


def _marked(text: str, kinds: list[PartKind | None] | None) -> list[Span]:
    """Run each step once over the lines of a text."""
    lines = Lines(text, kinds)
    mark_quotations(lines)
    mark_flattened_history(lines)
    undecided = lines.undecided()
    if len(undecided) > MAX_LINES or sum(len(lines.keys[index]) for index in undecided) > MAX_CHARACTERS:
        return list(_spans(lines))  # far more than a customer's own part may have
    mark_transcript(lines)
    mark_footers(lines)
    mark_signatures(lines)
    mark_footers_below_signatures(lines)
    return list(_spans(lines))


def _spans(lines: Lines) -> Iterator[Span]:
    """Consecutive lines of one kind as spans; a blank line belongs to the line before it."""
    current = next(
        (kind or PartKind.OWN for kind, key in zip(lines.kinds, lines.keys, strict=True) if key), PartKind.OWN
    )
    start = 0
    for index, key in enumerate(lines.keys):
        kind = lines.kinds[index] or PartKind.OWN
        if key and kind is not current:
            if lines.starts[index] > start:
                yield Span(current, lines.text[start : lines.starts[index]])
            start, current = lines.starts[index], kind
    if start < len(lines.text):
        yield Span(current, lines.text[start:])


def _replaced(spans: list[Span], inner: list[Span]) -> Iterator[Span]:
    """`spans` with their own text split as `inner`, whose texts joined are the own text of `spans`."""
    pieces = iter(inner)
    kind, rest = PartKind.OWN, ""
    for span in spans:
        if span.kind is not PartKind.OWN:
            yield span
            continue
        length = len(span.text)
        while length:
            if not rest:
                kind, rest = next(pieces)
            piece = rest[:length]
            yield Span(kind, piece)
            rest = rest[length:]
            length -= len(piece)


def _with_transcript(incoming: IncomingMessage, body: list[Span]) -> list[Span]:
    """The turns of a transcript before the body. The customer's turns are own text where there is no other."""
    has_body = bool(_own_text(body))
    spans: list[Span] = []
    for turn in incoming.transcript:
        if not turn.text:
            continue
        decoded = decode_text(turn.text)
        if has_body or turn.role is not Role.CUSTOMER:
            spans.append(Span(PartKind.TRANSCRIPT, f"{decoded.text}\n"))
        else:
            spans += [*_separate(decoded.text, decoded.kinds), Span(PartKind.TRANSCRIPT, "\n")]
    return spans + body


def _own_text(spans: list[Span]) -> str:
    """The text of all own spans, one below the other, without surrounding blanks."""
    pieces: list[str] = []
    previous: PartKind | None = None
    for kind, text in spans:
        if kind is PartKind.OWN:
            if pieces and previous is kind:
                pieces[-1] += text
            else:
                pieces.append(text)
        previous = kind
    return "\n".join(filter(None, (piece.strip() for piece in pieces)))


def _is_evaluated(subject: str, own: str) -> bool:
    """Return whether the subject is part of the own text: there is no other, or it points to the subject."""
    if own and not (len(own) <= MAX_POINTER and subject_phrases.POINTER.fullmatch(normalized(own))):
        return False
    return not subject_phrases.REPLY.match(normalized(subject))


def _act(headers: Mapping[str, str], subject: str, own: str) -> Act:
    if is_automated_by_headers(headers) or is_automated_by_text(subject, own):
        return Act.AUTOMATED_MAIL
    return Act.REQUEST if has_visible_character(own) else Act.EMPTY


def _parts(spans: list[Span]) -> tuple[str, tuple[Part, ...]]:
    """The source text, and the spans as parts of it with neighbours of one kind merged."""
    parts: list[Part] = []
    offset = 0
    for kind, group in groupby(spans, key=lambda span: span.kind):
        text = "".join(span.text for span in group)
        if text:
            parts.append(Part(kind, offset, offset + len(text), text))
            offset += len(text)
    return "".join(part.text for part in parts), tuple(parts)


_OPENING = ("[", "<", ">")
