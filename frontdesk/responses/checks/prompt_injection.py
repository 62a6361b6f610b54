"""Check that the reply contains nothing that the customer dictated: the message is data, never instructions.

Any run of words of the message may be dictated, and any run of words that is hidden in it: as base64, hexadecimal or
rot13, or with reversed words or letters. A reply fails if it repeats four such words in a row, or an unusual token of
the message (quoted, in capitals, with digits or underscores), unless a passage contains the same.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator, Set
from urllib.parse import unquote

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import normalize_text, split_words

_RUN_WORDS = 4
_BASE64 = re.compile(r"[A-Za-z\d+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{8,}={0,6}")
_HEX = re.compile(r"(?:[\da-fA-F]{2}[\s:,]?){5,}")
_BINARY = re.compile(r"(?:[01]{8}\s?){3,}")
_CHARACTER_CODES = re.compile(r"(?:\b\d{2,3}\b[\s,]+){3,}\b\d{2,3}\b")
_SPACED = re.compile(r"(?:\b\w\b[ .\-_*]){3,}\b\w\b")
_QUOTED = re.compile(r"[\"“”„«»'‘’`*<\[(]\s*([^\"“”„«»`*<>\[\]()\n]{2,80}?)\s*[\"“”„«»'‘’`*>\])]")
_UNUSUAL_TOKEN = re.compile(r"\b(?=\w*[a-zA-Z])(?:[A-Z]{4,}|\w*\d\w*|\w+_\w+|[a-z]+[A-Z]\w*)\b")
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d{1,3}\]")
_LEET = str.maketrans("013457@$", "oieastas")
_MAX_CHARACTERS = 8_000
_MIN_CHARACTERS = 4


def obedience(draft: Draft) -> Iterator[ReplyDefect]:
    """Find runs of words and unusual tokens that the customer dictated."""
    message = _PLACEHOLDER.sub(" ", draft.message.text)
    sources = [split_words(source) for source in draft.sources]
    allowed_words = {word for source in sources for word in source} | draft.policy.known_words
    text = normalize_text(_PLACEHOLDER.sub("", draft.text))
    if any(re.search(rf"(?<!\w){re.escape(token)}(?!\w)", text) for token in _unusual_tokens(message, allowed_words)):
        yield ReplyDefect("obedience", "it repeats a token of the message")
    reply_runs = _word_ngrams(split_words(draft.text)) - {run for source in sources for run in _word_ngrams(source)}
    new_words = set(split_words(text)) - allowed_words - set(split_words(message))
    dictated = _word_ngrams(split_words(message))
    for decoded in _decoded_texts(message):
        decoded_words = split_words(decoded)
        dictated |= _word_ngrams(decoded_words)
        if any(len(word) >= _MIN_CHARACTERS and word in new_words for word in decoded_words):
            yield ReplyDefect("obedience", "it repeats what the message hides")
    if reply_runs & dictated:
        yield ReplyDefect("obedience", "it repeats words of the message")


def _word_ngrams(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + _RUN_WORDS]) for start in range(len(words) - _RUN_WORDS + 1)}


def _decoded_texts(text: str) -> Iterator[str]:
    """The readable texts that the message contains in another encoding."""
    text = text[:_MAX_CHARACTERS]
    yield from (codecs.encode(text, "rot13"), text[::-1], " ".join(reversed(text.split())))
    yield " ".join(word[::-1] for word in text.split())
    if any(char.isdigit() or char in "@$" for char in text):
        yield text.translate(_LEET)
    if "%" in text:
        yield unquote(text)
    yield from ("".join(char for char in match[0] if char.isalnum()) for match in _SPACED.finditer(text))
    for pattern, decode in _DECODERS:
        for match in pattern.finditer(text):
            decoded = _decode(match[0], decode)
            if decoded is not None:
                yield decoded
                yield decoded[::-1]
                yield codecs.encode(decoded, "rot13")


def _decode(encoded: str, decode: Callable[[str], bytes]) -> str | None:
    try:
        text = decode(encoded).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if len(text) >= _MIN_CHARACTERS and text.isprintable() else None


def _unusual_tokens(text: str, allowed_words: Set[str]) -> set[str]:
    """The tokens that a reply has no reason to repeat: quoted text, words in capitals, mixed letters and digits."""
    quoted = {normalize_text(part) for part in _QUOTED.findall(text)}
    unusual = {normalize_text(part) for part in _UNUSUAL_TOKEN.findall(text)}
    return {
        token
        for token in quoted | unusual
        if len(token) >= 3 and any(word not in allowed_words for word in split_words(token) or [token])
    }


def _decode_base64(encoded: str) -> bytes:
    padded = encoded.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)


def _decode_base32(encoded: str) -> bytes:
    padded = encoded.rstrip("=")
    return base64.b32decode(padded + "=" * (-len(padded) % 8))


def _decode_hexadecimal(encoded: str) -> bytes:
    return bytes.fromhex(re.sub(r"[^\da-fA-F]", "", encoded))


def _decode_binary(encoded: str) -> bytes:
    digits = re.sub(r"\D", "", encoded)
    return bytes(int(digits[start : start + 8], 2) for start in range(0, len(digits) - 7, 8))


def _decode_character_codes(encoded: str) -> bytes:
    return bytes(int(code) for code in re.findall(r"\d+", encoded))


_DECODERS = (
    (_BASE64, _decode_base64),
    (_BASE32, _decode_base32),
    (_HEX, _decode_hexadecimal),
    (_BINARY, _decode_binary),
    (_CHARACTER_CODES, _decode_character_codes),
)
