r"""Remove markup, decode escapes, and repair wrong encodings.

    "4111<br>1111"  ->  "4111 1111"      "jane.doe=40example.com"  ->  "jane.doe@example.com"      "4111\\u00a01111"

`frontdesk.folding` applies these steps; each is a pattern and a function that returns the replacement of a match. A tag
or comment that may contain personal data ("@", more than eight digits) is not removed.
"""

from __future__ import annotations

import re
import unicodedata

_INLINE = (
    r"(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|span|strike|strong"
    r"|sub|sup|time|tt|u|var|wbr)"
)
_BLOCK = (
    r"(?:address|article|aside|blockquote|body|br|button|center|col|colgroup|caption|dd|details|dir|div|dl|dt|fieldset|figure"
    r"|footer|form|h[1-6]|head|header|hr|html|img|input|legend|li|main|nav|o:p|object|ol|optgroup|option|p|pre|section|select"
    r"|summary|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul|br/)"
)
_PARAGRAPHS = frozenset("p div li tr h1 h2 h3 h4 h5 h6 blockquote table pre".split())
_HARMLESS = r"[^<>@\d]{0,200}+(?:\d[^<>@\d]{0,200}+){0,8}"
MARKUP = re.compile(
    r"<!--(?:[^<>@-]|(?=-[^-])-|(?=--[^>])-){0,200}+-->"
    rf"|<(?P<inline>/?{_INLINE})(?:[\s/]{_HARMLESS})?>"
    rf"|<(?P<block>/?{_BLOCK})(?:[\s/]{_HARMLESS})?>"
    r"|</[a-z][\w:-]{0,40}\s?>|<[a-z][\w:-]{0,40}\s?/>|(?<=[\w@.-])<[a-z][\w:-]{0,40}>(?=[\w@.-])"
    r"|\[/?(?:b|i|u|s|code|quote|color|size|url)\]"
    r"|(?<![\w*`~])(?P<open>[*`~]{1,2}(?=[\w+(@.])|[*]{3}(?=[\w+(]))|(?<=[\w):@.])(?P<close>[*`~]{1,3})(?![\w*`~])"
    r"|(?<![\w*>])(?P<under>_{1,3})(?=[^\W_])|(?<=[^\W_])(?P<after>_{1,3})(?=[ .,;:!?)]|\Z)",
    re.IGNORECASE,
)
"""Tags, comments, and markup of bold and italic text around a word."""
_MAX_DIGITS = 8
MAY_HAVE_MARKUP = re.compile(r"<[!/a-z]|[*`~]|\[/?[a-z]|(?<![^\W_])_|_(?![^\W_])", re.IGNORECASE)


def strip_markup(match: re.Match[str]) -> str:
    """Return the replacement of markup: nothing inside a line, a line break between paragraphs, else a space."""
    if block := match["block"]:
        return "\n" if block.strip("/").lower() in _PARAGRAPHS else " "
    mark = match[0]
    if mark.startswith("<!--") and sum(map(str.isdigit, mark)) > _MAX_DIGITS:
        return mark
    return " " if mark[0] == "<" and not match["inline"] and not mark.startswith("<!--") else ""


ESCAPE = re.compile(
    r"\\(?:u(?P<wide>[\da-f]{4})|x(?P<narrow>[\da-f]{2})|(?P<control>[nrt])|(?=[@._+/\"'-]))"
    r"|=(?P<soft>[ ]?\r?\n)"
    r"|(?-i:=(?P<quoted>(?:C2=A0|E2=80=(?:8[0-9A-D]|AF|9[0-5])|C2=AD)|(?<=\w=)40(?=[A-Za-z][\w-]*\.[a-z])"
    r"|(?<=\w=)2E(?=[a-z]{2})|(?<=\w=)3A(?=[ =+])"
    r"|(?:20|09|A0)(?=[ ]?\r?\n|\Z)|(?<=\d{3}=)(?:20|09|A0|0A|0D=0A|2D|2E)(?=\d\d)"
    r"|(?<=\d{2}=)(?:20|09|A0|2D|2E|0A)(?=\d\d=)|(?<=[a-z]{2}=)20(?=\d{3,4}=)|(?<=[A-Za-z]=)20(?=[A-Za-z])))",
    re.IGNORECASE,
)
"""Escapes of JSON, of programming languages, and of quoted-printable mail."""
MAY_BE_ESCAPED = re.compile(r"\\[uxnrt@._+/\"'-]|=(?:[ ]?\r?\n|[CE]2=|[0423A][0-9A-F])", re.IGNORECASE)
_CONTROLS = {"n": "\n", "r": "\n", "t": " "}


def decode_escape(match: re.Match[str]) -> str:
    """Return the characters for a match of `ESCAPE`."""
    code = match["wide"] or match["narrow"]
    if code:
        char = chr(int(code, 16))
        return "" if "\ud800" <= char <= "\udfff" else char
    if match["control"]:
        return _CONTROLS[match["control"].lower()]
    if quoted := match["quoted"]:
        char = bytes.fromhex(quoted.replace("=", "")).decode("utf-8", "replace")
        return " " if char == "\ufffd" else char
    return ""


_RAISED_DIGITS = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u2080-\u2089"
WRONG_ENCODING = re.compile(
    "\u00c2[ \u00a0]|\u00e2\u20ac(?P<third>[\u2030\u00af\u2021\u201a\u0160\u2039\u0152\u201c\u201d\u2018\u2019])"
    f"|(?P<raised>[{_RAISED_DIGITS}](?:[ .-]?[{_RAISED_DIGITS}])+)"
    r"|(?<=\w)[ ]?\u24d0[ ]?(?=[\w-]{1,63}\.\w)"
)
"""UTF-8 decoded as Windows-1252; two or more superscript or subscript digits; an "a" in a circle for "@"."""
_THIRD_BYTES = {"\u2039": "", "\u0152": "", **dict.fromkeys("\u201c\u201d\u2018\u2019", "-")}


def repair_encoding(match: re.Match[str]) -> str:
    """Return the characters for a match of `WRONG_ENCODING`."""
    if match["third"]:
        return _THIRD_BYTES.get(match["third"], " ")
    if "\u24d0" in match[0]:
        return "@"
    return " "


RAISED_DIGIT = re.compile(f"[{_RAISED_DIGITS}]")
MIN_RAISED_DIGITS = 4
"""Minimum of superscript or subscript digits that are a number; fewer are notes and units ("m²")."""


def raised_digit_to_ascii(match: re.Match[str]) -> str:
    """Return the ASCII digit for a match of `RAISED_DIGIT`."""
    return str(unicodedata.digit(match[0]))
