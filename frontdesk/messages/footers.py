"""Find footers: lines of phones and mail programs, disclaimers, company details, banners of mail gateways."""

from __future__ import annotations

import re

from frontdesk.messages.lexicons import footer_phrases
from frontdesk.messages.lexicons.first_person import FIRST_PERSON
from frontdesk.messages.lines import Lines
from frontdesk.messages.signature_lines import is_contact, is_signature_line
from frontdesk.types.message import PartKind

MIN_LEGAL_STEMS = 2
MIN_LEGAL_STEMS_WITHOUT_ANNOUNCEMENT = 5
MAX_DEVICE_LINE = 170
MAX_CANDIDATES = 30
"""Lines of one paragraph that are examined at most."""
MAX_EXAMINED = 2_000
"""Only this much of a paragraph is examined for legal words."""
MIN_UNANNOUNCED = 80


def mark_footers(lines: Lines) -> None:
    """Set the kind of all footer lines that are not yet part of something else."""
    after_footer = False
    for start, end in list(lines.runs()):
        index = start
        while index < end:
            if not lines.keys[index]:
                index += 1
                continue
            paragraph_end = index + 1
            while paragraph_end < end and lines.keys[paragraph_end]:
                paragraph_end += 1
            after_footer = _mark_paragraph(lines, index, paragraph_end, after_footer=after_footer)
            index = paragraph_end


def mark_footers_below_signatures(lines: Lines) -> None:
    """Mark legal text and contact lines directly below a signature or footer, where less evidence is enough."""
    for start, end in list(lines.runs()):
        below = lines.next_written(start)
        if not start or lines.kinds[start - 1] not in _CLOSING_KINDS:
            continue
        while below < end and is_contact(lines.keys[below]) and is_signature_line(lines.keys[below]):
            lines.mark(start, below + 1, PartKind.SIGNATURE)
            start, below = below + 1, lines.next_written(below + 1)
        paragraph_end = below
        while paragraph_end < end and lines.keys[paragraph_end]:
            paragraph_end += 1
        if paragraph_end > below and _is_legal(lines, below, paragraph_end, MIN_LEGAL_STEMS):
            lines.mark(start, paragraph_end, PartKind.FOOTER)


def _mark_paragraph(lines: Lines, start: int, end: int, *, after_footer: bool) -> bool:
    """Mark the footer lines of a paragraph; returns whether the paragraph ends with a footer."""
    if after_footer and _is_legal(lines, start, end, MIN_LEGAL_STEMS):
        lines.mark(start, end, PartKind.FOOTER)
        return True
    candidates = 0
    for index in range(start, end):
        key = lines.keys[index]
        if key[-1] in "])>" and _PICTURE.fullmatch(key):
            lines.mark(index, index + 1, PartKind.PICTURE)
            continue
        if candidates == MAX_CANDIDATES or not may_be_footer(key):
            continue
        candidates += 1
        if is_device_footer(key):
            lines.mark(index, index + 1, PartKind.FOOTER)
        elif footer_phrases.BANNER.match(key):
            lines.mark(index, _banner_end(lines, index, end), PartKind.FOOTER)
        elif _is_footer_start(lines, index, end):
            lines.mark(index, end, PartKind.FOOTER)
            return True
        elif footer_phrases.COMPANY.match(key) and _follows_text(lines, index):
            lines.mark(index, index + 1, PartKind.FOOTER)
    is_long = end - start > 1 or len(lines.keys[start]) > MIN_UNANNOUNCED
    if start and is_long and _is_legal(lines, start, end, MIN_LEGAL_STEMS_WITHOUT_ANNOUNCEMENT):
        lines.mark(start, end, PartKind.FOOTER)
        return True
    return False


def _banner_end(lines: Lines, index: int, end: int) -> int:
    """Return the line after a warning of a mail gateway: after the first line that ends a sentence."""
    for line in range(index, end):
        if lines.keys[line][-1:] in _SENTENCE_ENDS:
            return line + 1
    return end


def may_be_footer(key: str) -> bool:
    """Return whether a line begins with the first word of a footer."""
    match = _FIRST_WORD.match(_ICON.sub("", key))
    if match is None:
        return False
    word = match[1].lower()
    return word in footer_phrases.FIRST_WORDS or max(word) >= _FIRST_UNSPACED


def _is_footer_start(lines: Lines, index: int, end: int) -> bool:
    """Return whether a footer begins at line `index` of a paragraph that ends at `end`."""
    key = _ICON.sub("", lines.keys[index])
    if footer_phrases.ALONE.match(key):
        return not key.endswith("?") or bool(_ABOUT_PRINTING.search(key))
    if footer_phrases.ANNOUNCED.match(key.lstrip("*_[( ")):
        return _is_legal(lines, index, end, MIN_LEGAL_STEMS)
    return False


def is_device_footer(key: str) -> bool:
    """Return whether a line is "Sent from my iPhone" or its like, and not a sentence that begins in the same way."""
    if len(key) > MAX_DEVICE_LINE:
        return False
    match = footer_phrases.DEVICE_FOOTER.match(key.lstrip(_CLOSING))
    if match is None:
        return False
    rest = key.lstrip(_CLOSING)[match.end() :].strip()
    if footer_phrases.EXCUSES.search(rest):
        return True
    words = rest.strip(_CLOSING).split()
    return len(words) <= 8 and all(
        word.strip(_CLOSING).lower() in footer_phrases.DEVICE_FILLERS or not word[0].isalpha() or word[0].isupper()
        for word in words
    )


def _is_legal(lines: Lines, start: int, end: int, min_stems: int) -> bool:
    """Return whether lines `start` to `end` have so many different legal stems and no single writer."""
    text = " ".join(lines.keys[start:end])[:MAX_EXAMINED]
    stems = footer_phrases.LEGAL_STEMS.intersection(word[:5] for word in _LONG_WORD.findall(text.lower()))
    return len(stems) >= min_stems and not FIRST_PERSON.search(text)


def _follows_text(lines: Lines, index: int) -> bool:
    return any(lines.keys[:index])


_PICTURE = re.compile(
    r"[\[<(](?:cid:[^\[\]<>]{1,120}|[^\[\]<>/]{1,100}\.(?:png|jpe?g|gif|heic|webp|bmp|pdf|mp4)"
    r"|(?:inline )?(?:image|bild|imagen|immagine|imagem|afbeelding|obraz)\b[^\[\]<>]{0,120}"
    r"|(?:attached|attachment|anhang|adjunto|anexo|allegato|bijlage|załącznik)\b[^\[\]<>]{0,120}"
    r"|(?:media|image|video|audio|sticker|gif|document|medien|bild|photo|foto|imagen|multimedia)\b[^\[\]<>]{0,20} "
    r"(?:omitted|weggelassen|omitid[oa]|omesso|omise?|weggelaten|pominięto))[\])>]",
    re.IGNORECASE,
)
"""The placeholder of a picture or attachment, alone on its line."""
_ABOUT_PRINTING = re.compile(r"print|druck|imprim|stamp|drukow", re.IGNORECASE)
_CLOSING = "<>()[]{}.,;:!*_-~ \t"
_SENTENCE_ENDS = (".", "!", "]", "*", ")")
_CLOSING_KINDS = frozenset({PartKind.SIGNATURE, PartKind.FOOTER})
_ICON = re.compile(r"^P (?=[^\W\d_a-z])")
"""A tree of the font Webdings, which is the letter P in plain text."""
_FIRST_WORD = re.compile(r"\W{0,6}([^\W_]+)")
_LONG_WORD = re.compile(r"[^\W\d_]{5,}")
_FIRST_UNSPACED = "\u2e80"
"""Scripts from here on do not separate words by blanks."""
