"""Find quoted history and forwarded mail in the lines of a message.

A header decides how far the quotation below it reaches. Where the quoted lines begin with ">", it ends with them, and
lines between them are the customer's answers. Otherwise everything to the end is quoted.
"""

from __future__ import annotations

import re

from frontdesk.messages.lines import Lines
from frontdesk.messages.mail_headers import (
    HeaderBlock,
    field_of,
    header_block,
    is_rule,
    marker_kind,
    reply_header_start,
)
from frontdesk.types.message import PartKind

MAX_CANDIDATES = 150
"""Lines that look like the end of a header are examined at most this often; a mail has a handful of them."""
MIN_WRAPPED_LINE = 60
MAX_CONTINUATION = 30


def mark_quotations(lines: Lines) -> None:
    """Set the kind of all lines that quote or forward earlier mail."""
    candidates = 0
    index = 0
    while index < len(lines):
        key = lines.keys[index]
        if not key or lines.kinds[index] is not None:
            index += 1
            continue
        if key[0] == ">":
            _mark_quoted_line(lines, index)
            index += 1
            continue
        if candidates < MAX_CANDIDATES and _may_be_header(key):
            candidates += 1
            index = _mark_from_header(lines, index)
        else:
            index += 1


def _may_be_header(key: str) -> bool:
    return key[-1] in ":\uff1a>" or key[0] in _RULES or ":" in key[:26] or "\uff1a" in key[:12] or key[-1] in _RULES


def _mark_from_header(lines: Lines, index: int) -> int:
    """Mark the quotation whose header has line `index`, if it has one; returns the line to go on with."""
    kind = marker_kind(lines, index)
    if kind is not None:
        following = lines.next_written(index + 1)
        block = header_block(lines, following, is_announced=True) if following < len(lines) else None
        return _mark_body(lines, _before_rule(lines, index), block.end if block else index + 1, kind)
    is_outlook_rule = is_rule(lines.keys[index])
    block_start = lines.next_written(index + 1) if is_outlook_rule else index
    if block_start < len(lines) and field_of(lines.keys[block_start]):
        block = header_block(lines, block_start, is_announced=is_outlook_rule)
        if block is not None:
            if _is_own_header(lines, index, block):
                lines.mark(index, block.end, PartKind.MAIL_HEADER)
                return block.end
            return _mark_body(lines, _before_rule(lines, index), block.end, PartKind.QUOTATION)
    start = reply_header_start(lines, index)
    if start is not None:
        return _mark_body(lines, start, index + 1, PartKind.QUOTATION)
    return index + 1


def _mark_body(lines: Lines, start: int, body: int, kind: PartKind) -> int:
    """Mark a header (`start` to `body`) and what it quotes; returns the line to go on with."""
    first = lines.next_written(body)
    if first >= len(lines):
        lines.mark(start, len(lines), kind)
        return len(lines)
    if lines.keys[first].startswith(">") or lines.kinds[first] is PartKind.QUOTATION:
        lines.mark(start, first, kind)
        return first
    if kind is PartKind.QUOTATION and lines.keys[first][0] in _QUOTATION_MARKS:
        end = first + 1
        while end < len(lines) and lines.keys[end] and not _CLOSES_QUOTATION.search(lines.keys[end - 1]):
            end += 1
        lines.mark(start, end, kind)
        return end
    lines.mark(start, len(lines), kind)
    return len(lines)


def _mark_quoted_line(lines: Lines, index: int) -> None:
    """Mark a line that begins with ">", and the rest of it that a mail server has wrapped onto the next line."""
    key = lines.keys[index]
    if key[1:3].strip()[:1].isdigit() and not _has_quoted_neighbour(lines, index):
        return  # "> 30 days" is a comparison
    lines.kinds[index] = PartKind.QUOTATION
    if (
        len(key) >= MIN_WRAPPED_LINE
        and key[-1] not in ".?!:"
        and index + 2 < len(lines)
        and lines.keys[index + 2].startswith(">")
        and 0 < len(lines.keys[index + 1]) <= MAX_CONTINUATION
        and lines.keys[index + 1][0].islower()
    ):
        lines.mark(index + 1, index + 2, PartKind.QUOTATION)


def _has_quoted_neighbour(lines: Lines, index: int) -> bool:
    return any(
        0 <= other < len(lines) and (lines.keys[other].startswith(">") or lines.kinds[other] is PartKind.QUOTATION)
        for other in (index - 1, index + 1)
    )


def _before_rule(lines: Lines, index: int) -> int:
    """The line of the rule directly above line `index`, or `index`."""
    above = index - 1
    while above >= 0 and not lines.keys[above]:
        above -= 1
    if above < 0 or lines.kinds[above] is not None:
        return index
    key = lines.keys[above]
    return above if is_rule(key) or (key.startswith("---") and key.endswith("---")) else index


def _is_own_header(lines: Lines, index: int, block: HeaderBlock) -> bool:
    """Return whether a header block is that of the message itself, pasted together with its text."""
    return not block.has_sent_label and not any(lines.keys[:index]) and lines.next_written(block.end) < len(lines)


_RULES = "-_=*#~"
_QUOTATION_MARKS = "\"\u201c\u201e\u00ab\u00bb\u2018'"
_CLOSES_QUOTATION = re.compile(r"[\"\u201d\u201c\u00bb\u00ab\u2019'][.,]?$")
