"""Line breaks that an export wrote as the two characters `\\n`."""

from __future__ import annotations

import re

_BREAK = r"(?:\\r)?\\n"
_ESCAPED = re.compile(
    rf"{_BREAK}(?:\s?{_BREAK})+"  # an empty line
    rf"|(?<![\w:\\]){_BREAK}"  # after punctuation or a space
    rf"|(?<!\\){_BREAK}(?=[A-ZÀ-ÖØ-Þ\s]|$)"  # before the beginning of a sentence
)


def restore_line_breaks(text: str) -> str:
    """Replace escaped line breaks by real ones. Paths such as `C:\\new` and `\\\\server\\notes` stay as they are."""
    if "\\n" not in text:
        return text
    return _ESCAPED.sub(lambda match: "\n" * match[0].count("\\n"), text)
