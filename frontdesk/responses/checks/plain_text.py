"""Check that the reply is plain prose: no markup, code, data format, encoded data, dialogue or verse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect

_MARKUP = re.compile(
    r"!?\[[^\[\]\n]*\]\s*\("  # Markdown links and pictures
    r"|\[[^\[\]\n]+\]:"
    r"|</?[a-zA-Z!][^>\n]*>|<!--|&#?\w+;"
    r"|`|~~~|^\s{0,3}#{1,6}\s|^[^\S\n]*\|.*\||\*\*|__|^[^\S\n]*>"
    r"|[{}]|\[\s*[\"'\d{]"
    r"|<<|>>|\\[nuxr]|={3,}|-{3,}|\*{3,}",
    re.MULTILINE,
)
_BLOB = re.compile(
    r"\b(?=[A-Za-z+/]*\d|[a-z+/\d]*[A-Z][a-z\d]*[A-Z])[A-Za-z\d+/]{12,}={0,2}(?!\w)|\b[\da-fA-F]{12,}\b"
    r"|(?:\b[\da-fA-F]{2}\b[ ,]){5,}|(?:\b[01]{7,8}\b ?){2,}|(?:[.·•-]{1,5} ){5,}|\b(?:\w[ .-]){5,}\w\b"
)
_ROLE = re.compile(r"^[^\S\n]*(?:system|assistant|user|customer|agent|human|ai|bot)\s*:", re.IGNORECASE | re.MULTILINE)
_MAX_SHORT_LINES = 6
_SHORT_LINE_WORDS = 7


def form(draft: Draft) -> Iterator[ReplyDefect]:
    """Find everything that is not a few paragraphs of sentences."""
    if _MARKUP.search(draft.text):
        yield ReplyDefect("form", "it must be plain text without markup")
    if _BLOB.search(draft.text):
        yield ReplyDefect("form", "it holds something that is not prose")
    if _ROLE.search(draft.text):
        yield ReplyDefect("form", "it must hold one reply, no dialogue")
    short_lines = [line for line in draft.text.splitlines() if 0 < len(line.split()) < _SHORT_LINE_WORDS]
    if len(short_lines) > _MAX_SHORT_LINES:
        yield ReplyDefect("form", "it must be sentences, no list or verse")
