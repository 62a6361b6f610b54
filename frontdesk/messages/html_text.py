"""Convert the HTML of a mail to lines of text, with the part kind of a line where the markup tells it.

Mail clients mark quotations, signatures and hidden text with tags, classes and ids. The tree is built by lexbor
(`selectolax`), whose time grows with the square of the nesting depth and of the attributes of one tag: `html_to_text`
limits both first.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from frontdesk.types.message import PartKind

MAX_DEPTH = 400
"""Deeper markup is converted by removing its tags. Mails with 60 replies are about 150 deep."""
MAX_TAGS = 8_000
"""More markup is converted in the same way. Mails of 64 kB have 2,000 tags."""
MAX_TAG_CHARACTERS = 3_000
"""A longer tag loses its attributes. Only inline pictures and attacks are longer."""


class HtmlText(NamedTuple):
    """Text of an HTML document; `kinds` has one entry per line."""

    text: str
    kinds: list[PartKind | None]
    has_picture: bool


def html_to_text(markup: str) -> HtmlText:
    """Return the visible text of an HTML document.

    A block or `<br>` ends a line, cells of a table are separated by a blank, no-break spaces become blanks. Comments,
    styles, scripts and the head are left out. Hidden text becomes lines of the kind `HIDDEN`.
    """
    if max(map(len, markup.split(">"))) > MAX_TAG_CHARACTERS:
        markup = _LONG_TAG.sub(r"<\1>", markup)
    markup = _BRACKETED.sub("&lt;", markup)
    if not _BREAKING.search(markup):
        markup = markup.strip().replace("\n", "<br>")
    tags = markup.count("<")
    if tags > MAX_TAGS or (tags > MAX_DEPTH and _depth(markup) > MAX_DEPTH):
        return _without_tags(markup)
    root = LexborHTMLParser(markup).root
    writer = _LineWriter()
    if root is not None:
        lowered = markup.lower()
        _walk(root, writer, check_style=any(word in lowered for word in _HIDING_WORDS))
    return writer.finish()


def _walk(root: LexborNode, writer: _LineWriter, *, check_style: bool) -> None:
    """Visit all nodes below `root` in document order, without recursion."""
    node: LexborNode | None = root.child
    open_elements: list[tuple[LexborNode, str, bool]] = []
    line = writer.line
    while node is not None or open_elements:
        if node is None:
            node, tag, has_kind = open_elements.pop()
            if has_kind or tag in _BLOCKS:
                writer.close(tag, has_kind)
        else:
            tag = node.tag or ""
            if tag == "-text":
                line.append(node.text_content or "")
            elif tag not in _SKIPPED and tag[0] not in "-!":
                attributes = node.attributes if check_style or tag in _WITH_ATTRIBUTES else _NO_ATTRIBUTES
                has_kind = (attributes or tag in _WRITTEN) and writer.open(tag, attributes)
                child = node.child
                if child is not None:
                    open_elements.append((node, tag, has_kind))
                    node = child
                    continue
                if has_kind or tag in _BLOCKS:
                    writer.close(tag, has_kind)
        node = node.next


_NO_ATTRIBUTES: dict[str, str | None] = {}


class _LineWriter:
    """Collects words into lines."""

    def __init__(self) -> None:
        self.line: list[str] = []  # text nodes of the current line
        self._lines: list[str] = []
        self._kinds: list[PartKind | None] = []
        self._open_kinds: list[PartKind | None] = [None]
        self._rest: PartKind | None = None
        self._preformatted = 0
        self._has_picture = False

    def open(self, tag: str, attributes: dict[str, str | None]) -> bool:
        """Start an element; returns whether it has a part kind of its own."""
        if tag == "br":
            self._end_line(keep_blank=True)
            return False
        if tag == "img":
            self._picture(attributes)
            return False
        if tag in _BLOCKS:
            self._end_line()
            if tag in _SPACED:
                self._blank_line()
            elif tag == "pre":
                self._preformatted += 1
        elif tag in _CELLS:
            self.line.append(" ")
        if attributes and _starts_history(attributes):
            self._end_line()
            self._rest = PartKind.QUOTATION
        kind = _kind_of(tag, attributes) if attributes or tag == "blockquote" else None
        if kind is None:
            return False
        self._end_line()
        outer = self._open_kinds[-1]
        self._open_kinds.append(outer if outer in _OUTRANKING else kind)
        return True

    def close(self, tag: str, has_kind: bool) -> None:
        """End an element that `open` has started."""
        if tag in _BLOCKS or has_kind:
            self._end_line()
            if tag in _SPACED:
                self._blank_line()
            elif tag == "pre":
                self._preformatted -= 1
        if has_kind:
            self._open_kinds.pop()

    def finish(self) -> HtmlText:
        """Return all lines, without blank lines at both ends."""
        self._end_line()
        lines, kinds = self._lines, self._kinds
        while lines and not lines[-1]:
            lines.pop()
            kinds.pop()
        first = next((index for index, line in enumerate(lines) if line), 0)
        return HtmlText("\n".join(lines[first:]), kinds[first:], self._has_picture)

    def _picture(self, attributes: dict[str, str | None]) -> None:
        """Write the emoji that a picture stands for, or note that there is a picture."""
        alternative = attributes.get("alt") or ""
        if alternative and len(alternative) <= 8 and not _WORD.search(alternative):
            self.line.append(alternative)
        else:
            self._has_picture = True

    def _end_line(self, *, keep_blank: bool = False) -> None:
        text = "".join(self.line) if self.line else ""
        if text:
            self.line.clear()
        elif not keep_blank:
            return
        if self._preformatted and "\n" in text:
            lines = [line.replace("\u00a0", " ").rstrip() for line in text.strip("\n").splitlines()]
        else:
            lines = [" ".join(text.split())]
        if lines != [""] or keep_blank:
            self._lines += lines
            self._kinds += [self._open_kinds[-1] or self._rest] * len(lines)

    def _blank_line(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")
            self._kinds.append(self._open_kinds[-1] or self._rest)


def _kind_of(tag: str, attributes: dict[str, str | None]) -> PartKind | None:
    """The part kind that the markup of an element tells."""
    style = attributes.get("style") or ""
    if "hidden" in attributes or (style and _HIDES.search(style)):
        return PartKind.HIDDEN
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if names != " ":
        for name in names.lower().split():
            if kind := _KINDS_OF_NAMES.get(name.removeprefix("x_")):
                return kind
    if attributes.get("name") == "quote" or attributes.get("type") == "cite":
        return PartKind.QUOTATION
    if tag == "blockquote" and not _INDENTS.search(style):
        return PartKind.QUOTATION
    return None


def _starts_history(attributes: dict[str, str | None]) -> bool:
    """Return whether all text from an element on is quoted history, as Outlook marks it."""
    if _BORDER_OF_HISTORY.search(attributes.get("style") or ""):
        return True
    return (attributes.get("id") or "").lower().removeprefix("x_") in _HISTORY_IDS


def _depth(markup: str) -> int:
    """The nesting depth of the markup, at most; elements that HTML closes by itself do not count."""
    depth = deepest = 0
    for closing in _NESTING_TAG.findall(markup):
        depth += -1 if closing else 1
        deepest = max(deepest, depth)
    return deepest


def _without_tags(markup: str) -> HtmlText:
    """The text of markup that is too large or too deep for a tree."""
    text = html.unescape(_ANY_TAG.sub(_replacement, markup)).replace("\u00a0", " ")
    lines = [_BLANKS.sub(" ", line).strip() for line in text.splitlines()]
    return HtmlText("\n".join(lines), [None] * len(lines), has_picture="<img" in markup)


def _replacement(match: re.Match[str]) -> str:
    return "\n" if match[1] else " "


_OUTRANKING = frozenset({PartKind.HIDDEN, PartKind.QUOTATION})
"""Kinds that an inner element does not change: a signature in a quotation is a quotation."""
_SKIPPED = frozenset("style script head title template svg math object iframe noframes textarea select".split())
_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 blockquote".split())
"""Elements with a margin: a blank line stands before and after them."""
_CELLS = frozenset("td th".split())
_WRITTEN = _BLOCKS | _CELLS | {"br", "img"}
"""Elements that change the text by themselves."""
_WITH_ATTRIBUTES = frozenset("blockquote div img pre table hr section".split())
_KINDS_OF_NAMES = {
    **dict.fromkeys(
        "yahoo_quoted protonmail_quote tutanota_quote zmail_quote moz-cite-prefix iscwithquote".split(),
        PartKind.QUOTATION,
    ),
    **dict.fromkeys(
        "gmail_signature moz-signature protonmail_signature_block signature applemailsignature email-signature "
        "ms-outlook-mobile-signature mail-signature zmail_signature outlook_signature".split(),
        PartKind.SIGNATURE,
    ),
}
"""Gmail's `gmail_quote` is missing on purpose: it also holds what the customer wrote below the quotation."""
_HISTORY_IDS = frozenset(
    "divrplyfwdmsg mail-editor-reference-message-container isforwardcontent replyforwardmessage".split()
)
_BORDER_OF_HISTORY = re.compile(r"border-top:\s?solid #(?:E1E1E1|B5C4DF) 1\.0pt", re.IGNORECASE)
_INDENTS = re.compile(r"margin:\s?0(?:px)? 0(?:px)? 0(?:px)? 40px;\s?border:\s?(?:none|medium)", re.IGNORECASE)
"""The style of a paragraph that Gmail's editor has indented."""
_HIDING_WORDS = ("hidden", "display:", "mso-hide", "font-size:0", "font-size: 0")
_HIDES = re.compile(
    r"display:\s?none|visibility:\s?hidden|mso-hide:\s?all|font-size:\s?0(?:px|pt)?\s?(?:[;\"']|$)|\shidden[\s>=]",
    re.IGNORECASE,
)
_BREAKING = re.compile(r"<(?:br|p|div|table|tr|li|ul|ol|h[1-6]|blockquote|pre|body|html)[\s/>]", re.IGNORECASE)
_BRACKETED = re.compile(r"<(?=[\w.+%-]{1,64}@|[hH]ttps?:|HTTPS?:|[mM]ailto:|[tT]el:|[wW]ww\.)")
"""An address or a link in angle brackets, which is no tag."""
_LONG_TAG = re.compile(rf"<([a-zA-Z][a-zA-Z0-9]{{0,15}})\s[^<>]{{{MAX_TAG_CHARACTERS},}}(?:>|\Z)")
_ANY_TAG = re.compile(
    r"<(?:style|script)\b[^<]*</(?:style|script)>|</?(?:(br|p|div|tr|li|h[1-6]|table|blockquote|hr)|[a-z!])[^<>]*>",
    re.IGNORECASE,
)
_NESTING_TAG = re.compile(
    r"<(/?)(?!br\b|hr\b|img\b|input\b|meta\b|link\b|p\b|li\b|td\b|tr\b|o:p\b|!)[a-z]", re.IGNORECASE
)
_BLANKS = re.compile(r"  +")
_WORD = re.compile(r"[A-Za-z0-9]")
