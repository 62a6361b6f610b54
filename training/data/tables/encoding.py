"""The text encoding of a file: by its byte order mark, by validation as UTF-8, otherwise by detection.

UTF-8 is validated over the whole file, because the first wrong byte may be in the last row. Detection (chardet) gets
only lines that have bytes above 127: ordinary ASCII lines say nothing about an encoding.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from frontdesk.errors import DataError
from training.data.tables.source import Source

MAX_LINE_CHARACTERS = 1 << 24
"""Longer lines are split here, which bounds the memory."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SUPERSETS = {"iso8859-1": "cp1252", "iso8859-9": "cp1254", "ascii": "cp1252"}  # ISO codecs lack quotes and the euro
_FALLBACK = "cp1252"
_MIN_CONFIDENCE = 0.05
"""chardet's confidence below which the text is too short: a few names with accents get 0.03."""

_SAMPLE_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20
_UNDECODABLE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes of a file are text.

    Attributes:
        codec: Python's name of the encoding.
        bom: the byte order mark, which is not part of the text.
        errors: the error handler. With `surrogateescape` a byte that cannot be decoded becomes a lone surrogate, which
            is encoded to the same byte.
        newline: what ends a line, as in `open`: "\\n"; "\\r" for files of classic Mac OS; "" for both in one file.
    """

    codec: str
    bom: bytes = b""
    errors: str = "surrogateescape"
    newline: str = "\n"

    @contextmanager
    def lines(self, source: Source) -> Iterator[TextLines]:
        """Open the source as lines of text, without the byte order mark."""
        with source.opened() as stream:
            stream.read(len(self.bom))
            text = io.TextIOWrapper(stream, self.codec, self.errors, newline=self.newline)
            try:
                yield TextLines(text)
            finally:
                text.detach()

    def encode(self, text: str) -> bytes:
        """Return the bytes of the text, without the byte order mark.

        Raises:
            UnicodeEncodeError: the encoding lacks a character.
        """
        return text.encode(self.codec, self.errors)


class TextLines:
    """Iterator over lines, at most `MAX_LINE_CHARACTERS` characters each; `ended` is True after the last one.

    `read` returns text regardless of lines.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.ended = False

    def __iter__(self) -> TextLines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MAX_LINE_CHARACTERS)
        if not line:
            self.ended = True
            raise StopIteration
        return line

    def read(self, characters: int) -> str:
        return self._stream.read(characters)


def has_undecodable_bytes(text: str) -> bool:
    """Return whether a byte of the text could not be decoded, or it has half of a surrogate pair."""
    return _UNDECODABLE.search(text) is not None


def detect_encoding(source: Source, *, unicode_only: bool = False) -> Encoding:
    """Return the encoding of the whole file.

    Args:
        unicode_only: try no legacy encoding; lines that are not UTF-8 have undecodable bytes.

    Raises:
        DataError: the file is damaged, or no encoding fits.
    """
    head = source.head(4096)
    for bom, codec in _BOMS:
        if head.startswith(bom) and (len(bom) < 4 or len(head) % 4 == 0):
            wide = codec != "utf-8"
            newline = _validate(source, codec, bom) if wide else _scan(source).newline
            return Encoding(codec, bom, "strict" if wide else "surrogateescape", newline)
    if wide_codec := _unmarked_wide_codec(head):
        return Encoding(wide_codec, b"", "strict", _validate(source, wide_codec))
    scan = _scan(source)
    if unicode_only or scan.invalid_lines == 0 or scan.valid_lines > scan.invalid_lines:
        return Encoding("utf-8", newline=scan.newline)
    codec = _detect(source.name, scan.sample)
    if _is_multibyte(codec):
        try:
            return Encoding(codec, b"", "strict", _validate(source, codec))
        except DataError:
            codec = _FALLBACK
    return Encoding(codec, newline=scan.newline)


@dataclass(slots=True)
class _Scan:
    """Counts of non-ASCII lines with valid and invalid UTF-8, a sample of the latter, and the line ends."""

    valid_lines: int = 0
    invalid_lines: int = 0
    sample: bytes = b""
    has_lf: bool = False
    has_cr: bool = False

    @property
    def newline(self) -> str:
        return "\r" if self.has_cr and not self.has_lf else "\n"


def _scan(source: Source) -> _Scan:
    scan, sample, size = _Scan(), [], 0
    with source.opened() as stream:
        while line := stream.readline(MAX_LINE_CHARACTERS):
            scan.has_lf = scan.has_lf or line.endswith(b"\n")
            scan.has_cr = scan.has_cr or b"\r" in line
            if line.isascii():
                continue
            for part in line.splitlines() if b"\r" in line else (line,):
                if _is_utf8(part):
                    scan.valid_lines += not part.isascii()
                    continue
                scan.invalid_lines += 1
                if size < _SAMPLE_BYTES:
                    sample.append(part[:_SAMPLE_BYTES])
                    size += len(part)
    scan.sample = b"\n".join(sample)
    return scan


def _is_utf8(line: bytes) -> bool:
    """Return whether the line is valid; a character that is cut off at `MAX_LINE_CHARACTERS` counts as valid."""
    try:
        codecs.utf_8_decode(line, "strict", len(line) < MAX_LINE_CHARACTERS)
    except UnicodeDecodeError:
        return False
    return True


def _unmarked_wide_codec(head: bytes) -> str:
    """Return UTF-16 or UTF-32 with its byte order for text without a byte order mark, or ''.

    Every other byte of Latin text in UTF-16 is 0; three of four bytes are 0 in UTF-32.
    """
    if len(head) >= 16 and len(head) % 4 == 0:
        zeros = [head[position::4].count(0) / (len(head) // 4) for position in range(4)]
        for codec, order in (("utf-32-le", zeros), ("utf-32-be", zeros[::-1])):
            if order[0] < 0.1 and min(order[1:]) > 0.7 and min(order[2:]) == 1:
                return codec
    even, odd = head[0::2], head[1::2]
    if len(head) < 8 or b"\x00" not in head:
        return ""
    if odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return ""


def _validate(source: Source, codec: str, bom: bytes = b"") -> str:
    """Decode the whole file strictly and return its newline.

    Raises:
        DataError: bytes that the encoding does not allow.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    has_lf = has_cr = False
    with source.opened() as stream:
        stream.read(len(bom))
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                text = decoder.decode(chunk)
                has_lf, has_cr = has_lf or "\n" in text, has_cr or "\r" in text
            decoder.decode(b"", final=True)
        except UnicodeError:
            raise DataError(
                f"{source.name} begins as {codec.upper()} and has bytes that are not.", hint="Save it as UTF-8."
            ) from None
    return "\r" if has_cr and not has_lf else "\n"


def _detect(name: str, sample: bytes) -> str:
    try:
        import chardet
    except ImportError:
        hint = "Save it as UTF-8, or install what detects encodings: pip install 'frontdesk[train]'"
        raise DataError(f"{name} is not UTF-8.", hint=hint) from None
    guess = chardet.detect(sample)
    if not guess["encoding"] or guess["confidence"] < _MIN_CONFIDENCE:
        return _FALLBACK
    try:
        codec = codecs.lookup(guess["encoding"]).name
    except LookupError:
        return _FALLBACK
    return _FALLBACK if codec.startswith("utf") else _SUPERSETS.get(codec, codec)


def _is_multibyte(codec: str) -> bool:
    return not codec.startswith(("cp125", "cp4", "cp8", "iso8859", "koi8", "mac"))
