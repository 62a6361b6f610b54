"""Detection of text that an earlier conversion decoded with the wrong encoding: "cafÃ©", "donâ€™t", "caf\ufffd".

UTF-8 decoded as Windows-1252 contains runs of characters that are valid UTF-8 when encoded as Windows-1252 again.
Bytes that a decoder replaced leave U+FFFD.
"""

from __future__ import annotations

import re

_REPLACEMENT = "\ufffd"


def _as_windows_1252(byte: int) -> str:
    """Decode one byte; the five bytes that Windows-1252 leaves undefined become control characters."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTE_OF = {_as_windows_1252(byte): byte for byte in range(0x80, 0xF5)}
_LEADS = "".join(character for character, byte in _BYTE_OF.items() if byte >= 0xC2)
_FOLLOWERS = "".join(character for character, byte in _BYTE_OF.items() if byte < 0xC0)
_RUN = re.compile(f"[{re.escape(_LEADS)}][{re.escape(_FOLLOWERS)}]{{1,3}}")


def describe_mojibake(text: str) -> str:
    """Describe the encoding damage of a text, '' without damage. The description contains no part of the text."""
    if _REPLACEMENT in text:
        return "holds U+FFFD, where a character was lost in an earlier conversion"
    if any(_is_misread_utf8(run[0]) for run in _RUN.finditer(text)):
        return "looks like UTF-8 that was read as Windows-1252 in an earlier conversion"
    return ""


def _is_misread_utf8(run: str) -> bool:
    """Whether the run begins with the UTF-8 bytes of one character."""
    raw = bytes(_BYTE_OF[character] for character in run)
    length = 2 if raw[0] < 0xE0 else 3 if raw[0] < 0xF0 else 4
    try:
        raw[:length].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
