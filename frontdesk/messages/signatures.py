"""Find signatures: the closing formula of a mail, the name and the contact lines below it.

A signature ends before the first line that looks like a sentence, a question, a postscript or an order number: what a
customer writes below the name stays own text.
"""

from __future__ import annotations

import re

from frontdesk.messages.lexicons.sign_offs import FIRST_WORDS, FORMULA, THANKS
from frontdesk.messages.lines import Lines
from frontdesk.messages.signature_lines import (
    DELIMITERS,
    PUNCTUATION,
    has_reference,
    is_contact,
    is_given_name,
    is_name,
    is_name_below_formula,
    is_postscript,
    is_question,
    is_role,
    is_rule,
    is_sentence,
    is_signature_line,
    is_signed_name,
)
from frontdesk.types.message import PartKind

MAX_SIGNATURE_LINES = 15
MAX_FORMULA = 160
MAX_SHORT_FORMULA = 60
MAX_UNKNOWN_FORMULA = 32
MAX_LINES_TO_END = 30
"""A signature begins at most so many lines before the end of the text or the next quotation."""
MAX_CANDIDATES = 60


def mark_signatures(lines: Lines) -> None:
    """Set the kind of all signature lines that are not yet part of something else."""
    _check_hints(lines)
    has_text = False
    candidates = 0
    for start, end in list(lines.runs()):
        index = start
        while index < end:
            key = lines.keys[index]
            stop = index
            if key and len(key) <= MAX_FORMULA and end - index <= MAX_LINES_TO_END and candidates < MAX_CANDIDATES:
                candidates += 1
                if key in DELIMITERS:
                    stop = _delimited_end(lines, index, end)
                elif is_rule(key):
                    stop = _ruled_end(lines, index, end)
                elif has_text or FORMULA.match(key):
                    stop = _signature_end(lines, index, end)
                    if not has_text and min(lines.next_written(stop), end) < end:
                        stop = index  # a greeting: text follows
            if stop > index:
                lines.mark(index, stop, PartKind.SIGNATURE)
                index = stop
            else:
                has_text = has_text or bool(key)
                index += 1
    if has_text:
        _mark_last_name(lines)


def _check_hints(lines: Lines) -> None:
    """Drop the kind that markup gave to a signature where it holds sentences: some clients let people write there."""
    for index, kind in enumerate(lines.kinds):
        if kind is PartKind.SIGNATURE and (is_sentence(lines.keys[index]) or is_postscript(lines.keys[index])):
            lines.kinds[index] = None


def _signature_end(lines: Lines, index: int, end: int) -> int:
    """The line after the signature whose closing formula is line `index`; `index` where it closes no mail."""
    key = lines.keys[index]
    below = min(lines.next_written(index + 1), end)
    name = lines.keys[below] if below < end else ""
    if name and _is_unknown_formula(lines, index) and is_name(name) and _ends_text(lines, below, end):
        return _block_end(lines, index + 1, end)
    if not _may_be_formula(key):
        return index
    match = FORMULA.match(key)
    if match and _is_rest_of_formula(key[match.end() :]):
        is_followed_by_text = name and below == index + 1 and not _may_follow_formula(name)
        return index if is_followed_by_text else _block_end(lines, index + 1, end)
    match = THANKS.match(key)
    if match is None:
        return index
    rest = key[match.end() :]
    if rest.strip(PUNCTUATION):
        return _block_end(lines, index + 1, end) if rest[0] in ", -!." and is_name(rest) else index
    if key.endswith(",") and name and FORMULA.match(name):
        return _signature_end(lines, below, end)  # "Thanks," above "kind regards,"
    if name and is_name(name) and (is_given_name(name.split()[0]) or _ends_paragraph(lines, below, end)):
        return _block_end(lines, index + 1, end)
    return index


def _may_follow_formula(key: str) -> bool:
    return is_name_below_formula(key) or is_signature_line(key) or FORMULA.match(key) is not None


def _may_be_formula(key: str) -> bool:
    """Return whether a line is short enough for a closing formula and begins with the first word of one."""
    lowered = key.lower()
    if any(word in lowered for word in _WORDS_OF_LONG_FORMULAS):
        return True
    first = _FIRST_WORD.search(lowered)
    return len(key) <= MAX_SHORT_FORMULA and first is not None and first[0][:4] in FIRST_WORDS


def _is_unknown_formula(lines: Lines, index: int) -> bool:
    """Return whether a line may be a closing formula of any language: a few words and a comma below a sentence."""
    key = lines.keys[index]
    if not key.endswith(",") or len(key) > MAX_UNKNOWN_FORMULA or not _WORDS_AND_COMMA.fullmatch(key):
        return False
    above = lines.keys[index - 1] if index else ":"
    return not above or above[-1] in ".!?)"


def _ends_text(lines: Lines, index: int, end: int) -> bool:
    """Return whether line `index` is the last of the own text, or only contact lines follow."""
    return all(not key or is_signature_line(key) for key in lines.keys[index + 1 : end])


def _ruled_end(lines: Lines, index: int, end: int) -> int:
    """The line after a signature below or between rules; `index` where there are no contact lines, or sentences too."""
    below = [key for key in lines.keys[index + 1 : end] if key]
    is_signature = any(map(is_contact, below)) and all(map(is_signature_line, below))
    return end if is_signature else index


def _ends_paragraph(lines: Lines, index: int, end: int) -> bool:
    """Return whether no ordinary sentence follows line `index` within its paragraph."""
    below = lines.keys[index + 1] if index + 1 < end else ""
    return not below or is_signature_line(below) or has_reference(below) or is_postscript(below) or is_question(below)


def _block_end(lines: Lines, index: int, end: int) -> int:
    """The line after the name and the contact lines that begin at `index`."""
    stop = index
    count = 0
    for at in range(index, end):
        key = lines.keys[at]
        if not key:
            continue
        if not is_signature_line(key) and (count or not is_name_below_formula(key)):
            break
        count += 1
        stop = at + 1
        if count == MAX_SIGNATURE_LINES:
            break
    return stop


def _delimited_end(lines: Lines, index: int, end: int) -> int:
    """The line after the signature below a delimiter ("-- "); `index` where own text follows it."""
    stop = index + 1
    count = 0
    for at in range(index + 1, end):
        key = lines.keys[at]
        if not key:
            continue
        if count == MAX_SIGNATURE_LINES:
            return index
        is_own = is_postscript(key) or is_question(key) or has_reference(key) or (not count and is_sentence(key))
        if is_own:
            return stop if count else index
        count += 1
        stop = at + 1
    return stop


def _mark_last_name(lines: Lines) -> None:
    """Mark a name without a closing formula that ends the own text, with the contact lines below it."""
    own = [index for index in lines.undecided() if lines.keys[index]]
    if not own:
        return
    end = own[-1] + 1
    start = own[-1]
    while start > 0 and lines.kinds[start - 1] is None and lines.keys[start - 1]:
        start -= 1
    is_own_paragraph = any(lines.keys[:start])
    if not is_own_paragraph:
        start = end - 1
    above = next((key for key in reversed(lines.keys[:start]) if key), "")
    if not above or above[-1] in ":," or not (is_own_paragraph or above[-1] in ".!?"):
        return
    if is_signed_name(lines.keys[end - 1]):
        lines.mark(end - 1, end, PartKind.SIGNATURE)
        return
    name, *details = lines.keys[start:end]
    if not is_name(name) or len(details) > MAX_SIGNATURE_LINES or not all(map(is_signature_line, details)):
        return
    if is_given_name(name.split()[0]) or any(is_contact(key) or is_role(key) for key in details):
        lines.mark(start, end, PartKind.SIGNATURE)


def _is_rest_of_formula(rest: str) -> bool:
    """Return whether what follows a closing formula on its line is nothing, a name or a place."""
    if rest and rest[0] not in PUNCTUATION:
        return False
    rest = rest.strip(PUNCTUATION)
    if not rest or is_name(rest) or _PLACE.fullmatch(rest):
        return True
    words = rest.split()
    return rest.islower() and len(words) < 3 and is_given_name(words[0])


_WORDS_OF_LONG_FORMULAS = ("salut", "salud", "sentiment", "considération", "porg", "particular")
_WORDS_AND_COMMA = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,3} ?,")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_PLACE = re.compile(
    r"(?:aus|from|de|von|vom|uit|da|z|ze|från|fra|nach|in|an alle) (?:[^\W\d_]['-]?){2,30}"
    r"(?: (?:[^\W\d_]['-]?){2,30}){0,3}",
    re.IGNORECASE,
)
