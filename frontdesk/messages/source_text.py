"""Decode the text of a message: HTML, HTML entities and UTF-8 that was read in another encoding (mojibake)."""

from __future__ import annotations

import html
import quopri
import re
import unicodedata
from dataclasses import dataclass

from ftfy import fix_encoding

from frontdesk.folded_characters import CHARACTERS
from frontdesk.messages.html_text import html_to_text
from frontdesk.types.message import PartKind


@dataclass(frozen=True, slots=True)
class SourceText:
    """Decoded text; for HTML with the part kind of each line where the markup tells it."""

    text: str
    kinds: list[PartKind | None] | None = None
    has_picture: bool = False


def decode_text(text: str) -> SourceText:
    """Decode the text field of a message. Plain text without escapes is returned unchanged."""
    if "=" in text and len(_QUOTED_BYTES.findall(text)) >= MIN_QUOTED_BYTES and not _NOT_QUOTED_PRINTABLE.search(text):
        text = quopri.decodestring(text.encode()).decode(errors="replace")
    if "<" in text and is_html(text):
        return decode_html(text)
    if "&" in text and _ENTITY.search(text):
        text = _unescape(text)
        if "<" in text and is_html(text):
            return decode_html(text)
    return SourceText(repair_mojibake(text))


def decode_html(markup: str) -> SourceText:
    """Convert HTML to text."""
    text, kinds, has_picture = html_to_text(repair_mojibake(markup))
    return SourceText(text, kinds, has_picture)


def is_html(text: str) -> bool:
    """Return whether a text field holds HTML and not plain text that mentions a tag."""
    return bool(_STARTS_AS_HTML.match(text) or _BLOCK_TAG.search(text))


def repair_mojibake(text: str) -> str:
    """`text` with UTF-8 that was read as Windows-1252 or Latin-1 decoded again, line by line.

    At most `MAX_REPAIRED` characters are examined: `fix_encoding` takes up to 5 microseconds for each.
    """
    if text.isascii() or not _MOJIBAKE.search(text):
        return text
    budget = MAX_REPAIRED
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if budget > 0 and _MOJIBAKE.search(line):
            lines[index] = fix_encoding(line[:budget]) + line[budget:]
            budget -= len(line) + REPAIR_OVERHEAD
    return "".join(lines)


MAX_REPAIRED = 3_000
REPAIR_OVERHEAD = 60
"""Characters that cost as much as the call for one line."""
MIN_QUOTED_BYTES = 3
MAX_UNESCAPES = 3
"""Text is unescaped again while it still holds entities, at most this often: "&amp;nbsp;" needs two rounds."""


def has_visible_character(text: str) -> bool:
    """Return whether `text` has a character that a reader can see."""
    if _ASCII_VISIBLE.search(text):
        return True
    return any(unicodedata.category(char)[0] in "LNPS" for char in text.translate(CHARACTERS).strip())


def _unescape(text: str) -> str:
    for _ in range(MAX_UNESCAPES):
        unescaped = _ENTITY.sub(lambda match: html.unescape(match[0]), text).replace("\u00a0", " ")
        if unescaped == text:
            break
        text = unescaped
    return text


_QUOTED_BYTES = re.compile(r"=(?:[0-9A-F]{2}|\r?\n)")
_NOT_QUOTED_PRINTABLE = re.compile(r"=(?![0-9A-F]{2}|\r?\n|\Z)|[\u0080-\uffff]|\ufffd")
_STARTS_AS_HTML = re.compile(
    r"\s*<(?:!doctype\s+html|!--|/?(?:html|head|body|div|p|span|table|font|b|strong|i|em|u|a|h[1-6]|ul|ol|center|meta|style"
    r"|pre|blockquote|img)(?:\s[^<>]*)?/?>)",
    re.IGNORECASE,
)
_BLOCK_TAG = re.compile(
    r"</(?:p|div|html|body|table|tr|td|li|ul|ol|blockquote|h[1-6])>|\S<br\s?/?>|<br\s?/?>\S", re.IGNORECASE
)
_ASCII_VISIBLE = re.compile(r"[!-~]")
_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|euro|pound|copy|reg|hellip|[lr][sd]quo|[nm]dash|shy|zwnj|[a-zA-Z](?:uml|acute|grave"
    r"|circ|cedil|tilde|ring|slash|caron)|szlig|iquest|iexcl|deg|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_CONTINUATION = (
    "[\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c"
    "\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]"
)
_MOJIBAKE = re.compile(f"[\u00c2-\u00f4]{_CONTINUATION}|\u00c3 ")
"""A lead byte of UTF-8 and a continuation byte, both read as Windows-1252 or Latin-1."""
