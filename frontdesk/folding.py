"""Convert the many spellings of a text to one, with a map of positions back to the original.

    fold("4111\\u00a01111 anna (at) example.com").text  ->  "4111 1111 anna@example.com"

The folded text is only for matching (personal data, cues, headers of a message). Text that is stored, displayed or
classified is always cut from the original with `FoldedText.original_span`. Folding does the following:

- Format characters (zero width, soft hyphen, word joiner, byte order mark, bidirectional marks, variation selectors)
  and control characters are removed. NUL is kept: callers overwrite matched text with it.
- A combining mark after an ASCII character is composed with it if Unicode has a composed letter, else removed.
- Runs of spaces (space separators, tabs) become one space. Line breaks (CR LF, NEL, U+2028, ...) become "\\n" and are
  kept, because they mark structure: signatures, addresses, quotations.
- Dashes (category Pd, U+2212) become "-", connectors (Pc) "_", brackets of other scripts "[" and "]".
- Characters whose NFKC form is one ASCII character become that character: fullwidth and mathematical letters and
  digits, circled digits. Digits of all scripts become ASCII digits. Superscripts and subscripts become digits if
  several are adjacent or the text has four; else they are kept, as are ordinal signs: "48213²" is not 482132.
- Cyrillic and Greek look-alikes of Latin letters become Latin, but only in a word that also has ASCII letters or digits
  and no other letter of their script. Words with only Cyrillic or only Greek letters are kept.
- Tags, comments and the markup of bold text are removed; escapes (JSON, quoted-printable) and UTF-8 that was decoded
  as Windows-1252 are decoded (`frontdesk.markup_and_escapes`).
- HTML entities of one character (also "&nbsp" without a semicolon), `%40`, `(at)`, `[at]`, `[.]`, `(dot)`, "anna at
  example dot com" and spaces around the "@" of an address become the characters that they represent.

Folding is pure and linear in the length of the text. A plain ASCII text is returned as it is, in about a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.entities import html5
from typing import NamedTuple

from frontdesk.folded_characters import (
    CHARACTERS,
    FOLDABLE,
    LETTER_WITH_MARKS,
    MIXED_WORD,
    OTHER_ALPHABET,
    compose_letter_with_mark,
    replace_look_alikes,
)
from frontdesk.markup_and_escapes import (
    ESCAPE,
    MARKUP,
    MAY_BE_ESCAPED,
    MAY_HAVE_MARKUP,
    MIN_RAISED_DIGITS,
    RAISED_DIGIT,
    WRONG_ENCODING,
    decode_escape,
    raised_digit_to_ascii,
    repair_encoding,
    strip_markup,
)


class FoldedText(NamedTuple):
    """A folded text and the positions of its characters in the original.

    `positions` has `len(text) + 1` entries in ascending order: character i of `text` starts at `positions[i]` of the
    original, and the last entry is the length of the original.
    """

    text: str
    positions: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `text[start:end]` in the original, including removed characters inside and after it."""
        return self.positions[start], self.positions[end]


def fold(text: str) -> FoldedText:
    """Return `text` in one spelling, as the module docstring describes."""
    if text.isascii() and _needs_no_folding(text):
        return FoldedText(text, range(len(text) + 1))
    folded = FoldedText(text, range(len(text) + 1))
    if MAY_BE_ESCAPED.search(text):
        folded = replace_matches(folded, ESCAPE, decode_escape)
    if not folded.text.isascii():
        folded = _repair_encoding(folded)
    if FOLDABLE.search(folded.text):
        folded = _fold_characters(folded)
    if "\r" in folded.text:
        folded = replace_matches(folded, _LINE_BREAK, _replace_with_line_break)
    if _HAS_ENCODED_SIGN.search(folded.text):
        folded = replace_matches(folded, _ENCODED_SIGN, _decode_encoded_sign)
    if MAY_HAVE_MARKUP.search(folded.text):
        folded = replace_matches(folded, MARKUP, strip_markup)
    if _may_have_spelled_out_email(folded.text):
        folded = replace_matches(folded, _AT_IN_WORDS, _replace_at_word)
        folded = replace_matches(folded, _DOTS_IN_WORDS, _replace_dot_words)
    if "  " in folded.text:
        folded = replace_matches(folded, _SPACES, _replace_with_space)
    if "@" in folded.text:
        if _HAS_SEPARATED_AT.search(folded.text):
            folded = replace_matches(folded, _SEPARATED_MAILBOX, _join_email)
        if _SEPARATED_DOMAIN.search(folded.text):
            folded = replace_matches(folded, _SEPARATED_DOMAIN, _join_domain)
    return folded


def insert_spaces(folded: FoldedText, gaps: Sequence[int]) -> FoldedText:
    """Return `folded` with a space inserted before each of `gaps`, which are in ascending order."""
    text, positions = folded
    pieces: list[str] = []
    new_positions: list[int] = []
    copied = 0
    for gap in gaps:
        pieces += text[copied:gap], " "
        new_positions += positions[copied:gap]
        new_positions.append(positions[gap])
        copied = gap
    new_positions += positions[copied:]
    return FoldedText("".join((*pieces, text[copied:])), new_positions)


def _repair_encoding(folded: FoldedText) -> FoldedText:
    """Return `folded` with mojibake repaired, and superscript and subscript digits replaced by digits."""
    if WRONG_ENCODING.search(folded.text):
        repaired = replace_matches(
            folded, WRONG_ENCODING, lambda match: match[0] if match["raised"] else repair_encoding(match)
        )
        if any(match["raised"] for match in WRONG_ENCODING.finditer(repaired.text)):
            return replace_matches(repaired, RAISED_DIGIT, raised_digit_to_ascii)
        folded = repaired
    if len(RAISED_DIGIT.findall(folded.text)) >= MIN_RAISED_DIGITS:
        return replace_matches(folded, RAISED_DIGIT, raised_digit_to_ascii)
    return folded


def _needs_no_folding(text: str) -> bool:
    """Return True only if folding does not change this ASCII text; False means that it may."""
    return not (
        _ASCII_SPELLING.search(text)
        or "  " in text
        or ("@" in text and (_HAS_SEPARATED_AT.search(text) or _SEPARATED_DOMAIN.search(text)))
        or _may_have_spelled_out_email(text)
    )


def _may_have_spelled_out_email(text: str) -> bool:
    """Return whether the text may contain an e-mail address in words."""
    text = text.lower()
    return (
        " dot " in text
        or " punkt " in text
        or " punto " in text
        or " point " in text
        or " arroba " in text
        or " arobase " in text
        or " chiocciola " in text
    )


def replace_matches(
    folded: FoldedText, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]
) -> FoldedText:
    """Return `folded` with every match of `pattern` replaced; new characters get the position of the match's start."""
    text, positions = folded
    pieces: list[str] = []
    new_positions: list[int] = []
    copied = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        new = replacement(match)
        pieces += text[copied:start], new
        new_positions += positions[copied:start]
        new_positions += [positions[start]] * len(new)
        copied = end
    if not pieces:
        return folded
    new_positions += positions[copied:]
    return FoldedText("".join((*pieces, text[copied:])), new_positions)


def _fold_characters(unfolded: FoldedText) -> FoldedText:
    """Fold each character of `unfolded`, then combining marks and look-alikes."""
    text, positions = unfolded
    new = text.translate(CHARACTERS)
    if len(new) != len(text):
        remaining = (
            position for char, position in zip(text, positions, strict=False) if CHARACTERS[ord(char)] is not None
        )
        positions = [*remaining, positions[-1]]
    folded = FoldedText(new, positions)
    if LETTER_WITH_MARKS.search(new):
        folded = replace_matches(folded, LETTER_WITH_MARKS, compose_letter_with_mark)
    if OTHER_ALPHABET.search(new):
        folded = FoldedText(MIXED_WORD.sub(replace_look_alikes, folded.text), folded.positions)
    return folded


_LINE_BREAK = re.compile(r"\r\n?")
_LAST_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{1,15}\Z")
_SPACES = re.compile(r"  ++")
_ASCII_SPELLING = re.compile(r"[\x01-\x09\x0b-\x1f\x7f&%(\[{<\\=*`~_]")
_AT = r"(?:at|ät|arroba|arobase|chiocciola|apenstaartje|snabel-?a)"
_DOT = r"(?:dot|punkt|punto|point|punt)"
_HAS_ENCODED_SIGN = re.compile(
    rf"[&%(\[{{<](?:(?<=&)(?:amp;)?(?:[#a-z]\w{{1,8}};|nbsp)"
    rf"|(?<=%)[0245ace3][\da-f]|[ -]?(?:@|\.|{_AT}|{_DOT})[ -]?[)\]}}>])",
    re.IGNORECASE,
)
"""Matches every text in which `_ENCODED_SIGN` matches, and is faster."""
_ENCODED_SIGN = re.compile(
    r"(?P<entity>&(?:amp;)?(?:(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,9}\d{0,2});|nbsp))"
    r"|(?P<percent>(?:(?<=[\w\"+):.])%(?:25)?(?:40|20|2[efd]|3a|0[9ad]|0d%0a|a0|c2%a0|e2%80%(?:8[0-9a]|af|9[0-5]))(?=[\w%+(])"
    r"|%2b(?=\d)|%5[bd]))"
    rf"|(?P<at> ?[(\[{{<][ -]?(?:{_AT}|@)[ -]?[)\]}}>] ?)"
    rf"|(?P<dot>[(\[{{] ?\. ?[)\]}}]| ?[(\[{{] ?{_DOT} ?[)\]}}] ?)",
    re.IGNORECASE,
)
_PERCENT = {
    **{"%40": "@", "%2e": ".", "%2d": "-", "%2b": "+", "%2f": "/", "%3a": ":", "%5b": "[", "%5d": "]"},
    **{"%0a": "\n", "%0d": "\n", "%0d%0a": "\n"},
}
"""The other percent codes of `_ENCODED_SIGN` become spaces."""
_LABEL = r"[\w-]{1,63}"
_TOP = (
    r"(?:com|net|org|info|biz|edu|gov|eu|io|co|uk|ie|us|ca|au|nz|de|at|ch|li|fr|be|lu|es|mx|ar|cl|it|nl|se|no|dk|fi|pl|pt|br"
    r"|in|dev|app|shop|online|store|email|example|test|invalid)"
)
"""Top-level domains of addresses in words. Other words are excluded: "look at the dot on the map"."""
_AT_IN_WORDS = re.compile(
    rf"(?<=\w) (?:at|ät|@) (?={_LABEL}(?:(?: {_DOT} |\.){_LABEL}){{0,4}} {_DOT} {_TOP}(?![^\W_]))"
    rf"|(?<=\w) (?!at ){_AT} (?={_LABEL}(?:\.| {_DOT} )\w)",
    re.IGNORECASE,
)
_DOTS_IN_WORDS = re.compile(
    rf"@{_LABEL}(?: {_DOT} {_LABEL}){{1,4}}|(?<![^\W_])\w[\w+-]{{0,63}}+(?: {_DOT} [\w+-]{{1,64}}){{1,3}}(?=@)"
    rf"|(?<![^\W_])\d{{1,3}}(?: {_DOT} \d{{1,3}}){{3}}(?![^\W_])",
    re.IGNORECASE,
)
_ONE_DOT = re.compile(rf" {_DOT} ", re.IGNORECASE)
_SEPARATED_MAILBOX = re.compile(
    r"(?P<before>(?:(?<![^\W_])\w[\w.+-]{0,63}+|\"))(?:[ \n]{1,2}@{1,3}[ \n]{0,2}|@{1,3}[ \n]{1,2}|@{2,3})"
    rf"(?={_LABEL}(?: ?[.] ?{_LABEL}){{0,4}}(?: ?[.][ \n]?|-\n[\w-]{{1,63}}[.])[^\W\d_]{{2,12}}(?![^\W_]))"
)
_HAS_SEPARATED_AT = re.compile(r"(?:[ \n@]@|@[ \n])")
_COMMON_TOP = r"(?:com|net|org|info|edu|gov|eu|co\.uk|example|test|invalid)"
_SEPARATED_DOMAIN = re.compile(
    rf"@{_LABEL}+(?:\.{_LABEL}+){{0,3}}"
    rf"(?: \. ?(?={_TOP}(?![^\W_]))|\.\n(?={_TOP}(?![^\W_]))|,(?={_TOP}(?![^\W_]))|\. (?={_COMMON_TOP}(?![^\W_]))"
    r"|(?<=-)\n(?=[\w-]{1,63}\.[a-z]{2}))"
)
_NOT_A_MAILBOX = frozenset(
    "me us it them him her you m im was am are is were ordered bought shop shopping shopped found seen here live "
    "online out a the deal deals sale items stuff bestellt gekauft gesehen acheté commandé comprado pedido "
    "item items product products price prices sold available offer article produkt artikel look looking page".split()
)


def _replace_with_space(_: re.Match[str]) -> str:
    return " "


def _replace_with_line_break(_: re.Match[str]) -> str:
    return "\n"


def _replace_at_word(match: re.Match[str]) -> str:
    """Return "@"; or the word itself if the word before it is no mailbox: "item at example dot com"."""
    before = _LAST_WORD.search(match.string, max(0, match.start() - 16), match.start())
    return match[0] if before and before[0].lower() in _NOT_A_MAILBOX else "@"


_BREAKS = " .,\n"


def _join_domain(match: re.Match[str]) -> str:
    """Return a domain without its break: "exam-" and "ple.com" on two lines, "gmail,com", "example . com"."""
    whole = match[0]
    return whole[:-2] if whole.endswith("-\n") else f"{whole.rstrip(_BREAKS)}."


def _replace_dot_words(match: re.Match[str]) -> str:
    return _ONE_DOT.sub(".", match[0])


def _join_email(match: re.Match[str]) -> str:
    """Return an address without the spaces around its "@"; "ordered it @ example.com" is not changed."""
    before = match["before"]
    return match[0] if before.lower() in _NOT_A_MAILBOX else f"{before}@"


def _decode_encoded_sign(match: re.Match[str]) -> str:
    if match["at"]:
        return "@"
    if match["dot"]:
        return "."
    if match["percent"]:
        return _PERCENT.get(match["percent"].lower().replace("%25", "%"), " ")
    return _fold_html_entity(match[0])


def _fold_html_entity(entity: str) -> str:
    """Return the folded character of an HTML entity, or the entity if it does not represent one character."""
    name = entity[1:].removesuffix(";").removeprefix("amp;")
    if name[0] != "#":
        char = html5.get(f"{name};", "")
    else:
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        char = chr(code) if 0 < code <= 0x10FFFF else ""
    if len(char) != 1:
        return entity
    new = CHARACTERS[ord(char)]
    return "" if new is None else chr(new)
