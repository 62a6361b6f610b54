"""Folding of single Unicode characters, combining marks and look-alikes of Latin letters."""

from __future__ import annotations

import re
import unicodedata


class _FoldedCharacterTable(dict[int, int | None]):
    """Map of a code point to its folded code point, or to None if the character is removed.

    Entries are computed on first use. Only changed code points and those below U+3000 are stored, which limits the
    size of the table.
    """

    def __missing__(self, code: int) -> int | None:
        new = _fold_code_point(code)
        if new != code or code < 0x3000:
            self[code] = new
        return new


_REMOVED = {0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0xFFFC, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
"""Invisible characters that are not in category Cf: joiner, fillers, object replacement, variation selectors."""
_SPECIAL = {0x2212: 0x2D, 0x2800: 0x20, 0x85: 0x0A, 0x0B: 0x0A, 0x0C: 0x0A, 0x2028: 0x0A, 0x2029: 0x0A, 0x3002: 0x2E}
_SPECIAL |= {**dict.fromkeys(map(ord, "【〔⟦❲⁅〖"), 0x5B), **dict.fromkeys(map(ord, "】〕⟧❳⁆〗"), 0x5D)}
_UNCHANGED_FORMS = ("<super>", "<sub>")


def _fold_code_point(code: int) -> int | None:
    """Return the folded code point of `code`, or None if the character is removed."""
    if code in (0, 0x0A, 0x0D):
        return code
    if code in _SPECIAL:
        return _SPECIAL[code]
    char = chr(code)
    category = unicodedata.category(char)
    if category == "Zs" or char == "\t":
        return 0x20
    if category in ("Cf", "Cc") or code in _REMOVED:
        return None
    if category == "Pd":
        return 0x2D
    if category == "Pc":
        return 0x5F
    if code < 0x80:
        return code
    if category == "Nd":
        return 0x30 + unicodedata.decimal(char)
    decomposition = unicodedata.decomposition(char)
    if (
        category == "No"
        and not decomposition.startswith(_UNCHANGED_FORMS)
        and (digit := unicodedata.digit(char, -1)) >= 0
    ):
        return 0x30 + digit
    if decomposition.startswith("<") and not decomposition.startswith(_UNCHANGED_FORMS):
        normalized = unicodedata.normalize("NFKC", char)
        if len(normalized) == 1 and normalized.isascii():
            return ord(normalized)
    return code


CHARACTERS = _FoldedCharacterTable()

FOLDABLE = re.compile("[^\n\r -~\u00a1-\u00ac\u00ae-\u024f\u2018-\u201f\u2026\u20ac]")
"""Characters that folding may change. It never changes Latin letters, quotation marks or the euro sign."""
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
LETTER_WITH_MARKS = re.compile(rf"[\x01-\x7f][{_MARKS}]++")


def compose_letter_with_mark(match: re.Match[str]) -> str:
    """Return the composed letter for a match of `LETTER_WITH_MARKS`, or the letter alone if Unicode has none."""
    letter = unicodedata.normalize("NFC", match[0][:2])
    return letter if len(letter) == 1 else match[0][0]


_LATIN = "AaBCcEeHIiJjKMOoPpSsTXxYyZNVvdhwqgAaBEZHIKMNOoPTYXvuip"
_LIKE_LATIN = "АаВСсЕеНІіЈјКМОоРрЅѕТХхҮуΖΝѴѵԁһԝԛɡΑαΒΕΖΗΙΚΜΝΟοΡΤΥΧνυιρ"
_LOOK_ALIKES = str.maketrans(_LIKE_LATIN, _LATIN)
OTHER_ALPHABET = re.compile("[\u0261\u0370-\u03ff\u0400-\u052f]")
MIXED_WORD = re.compile(rf"[A-Za-z0-9{_LIKE_LATIN}]++(?![^\W_])")
_ASCII_LETTER = re.compile("[A-Za-z0-9]")


def replace_look_alikes(match: re.Match[str]) -> str:
    """Return the word of a match of `MIXED_WORD` in Latin letters, if it has an ASCII letter or digit."""
    word, start = match[0], match.start()
    if word.isascii() or not _ASCII_LETTER.search(word) or (start and match.string[start - 1].isalnum()):
        return word
    return word.translate(_LOOK_ALIKES)
