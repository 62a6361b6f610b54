"""Split a chat transcript that was pasted as text: the agent's turns and the labels are separated.

    Agent: Hello, how can I help?
    Customer: Where is order 55810?          own text: "Where is order 55810?"
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from frontdesk.messages.lexicons import transcript_roles
from frontdesk.messages.lines import Lines, normalized
from frontdesk.messages.message import PartKind, Role

MIN_TURNS = 2
MAX_LABEL = 60
MAX_LABELS = 1_000
"""Lines with a colon that are examined at most."""
MIN_ONE_LINE = 40


class _TurnStart(NamedTuple):
    """A line that begins a turn; `end` is the end of the label in the key of the line."""

    index: int
    label: str
    role: Role | None
    end: int


def mark_transcript(lines: Lines) -> None:
    """Set the kind of the agent's turns and of all labels, if the lines hold a transcript."""
    _split_one_line_transcript(lines)
    turns = _turns(lines)
    if not turns:
        return
    _mark_turns(lines, turns)
    cuts = []
    for turn in turns:
        if turn.role is Role.CUSTOMER:
            offset = _end_of_label(lines, turn)
            if offset < lines.starts[turn.index + 1]:
                cuts.append((turn.index, offset))
            else:
                lines.kinds[turn.index] = PartKind.TRANSCRIPT
    for index in lines.split_all(cuts):
        lines.kinds[index] = PartKind.TRANSCRIPT


def _turns(lines: Lines) -> list[_TurnStart]:
    """The turns of a transcript with both sides known; empty where the lines are no transcript."""
    candidates = [index for index in lines.undecided() if _may_be_label(lines.keys[index])]
    if len(candidates) < MIN_TURNS:
        return []
    turns = [turn for index in candidates[:MAX_LABELS] if (turn := _turn_start(index, lines.keys[index]))]
    known = {turn.role for turn in turns if turn.role}
    if not known or len(turns) < MIN_TURNS:
        return []
    unknown_labels = {turn.label for turn in turns if turn.role is None}
    if len(known) == 1 and len(unknown_labels) == 1 and len(turns) > MIN_TURNS:
        other = Role.AGENT if Role.CUSTOMER in known else Role.CUSTOMER
        return [turn if turn.role else turn._replace(role=other) for turn in turns]
    named = [turn for turn in turns if turn.role]
    if len(known) < 2 or len(turns) - len(named) > len(named) / 2 or not _has_sentence(lines, named):
        return []
    return named


def _may_be_label(key: str) -> bool:
    beginning = key[:MAX_LABEL]
    return ":" in beginning or key[:1] in _BRACKETS or " - " in beginning or "> " in beginning


def _turn_start(index: int, key: str) -> _TurnStart | None:
    """The turn that begins in a line: after a label with a colon, or a known label in another form."""
    match = _TURN.match(key)
    if match:
        label = match["label"].lower()
        return _TurnStart(index, label, _role_of(f"{label} {match['note'] or ''}"), match.end())
    match = _OTHER_TURN.match(key)
    if match:
        label = (match["bracketed"] or match["dashed"] or match["alone"] or match["timed"]).lower()
        role = _role_of(f"{label} {match['note'] or ''}")
        if role:
            return _TurnStart(index, label, role, match.end())
    return None


def _mark_turns(lines: Lines, turns: list[_TurnStart]) -> None:
    """Mark the agent's turns with the lines that belong to them."""
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        end = following.index if following else len(lines)
        if turn.role is Role.AGENT:
            if following is None:  # what follows the last turn after a blank line may be the customer's
                end = turn.index + 1
                while end < len(lines) and lines.keys[end]:
                    end += 1
            for index in range(turn.index, end):
                if lines.kinds[index] is None:
                    lines.kinds[index] = PartKind.TRANSCRIPT
    _mark_title(lines, turns[0].index)


def _mark_title(lines: Lines, first: int) -> None:
    """Mark the title of the transcript above its first turn."""
    for index in range(max(0, first - 3), first):
        if lines.kinds[index] is None and _TITLE.match(lines.keys[index]):
            lines.kinds[index] = PartKind.TRANSCRIPT


def _role_of(label: str) -> Role | None:
    words = _WORD.findall(label)
    if not transcript_roles.AGENT.isdisjoint(words):
        return None if words[-1] in _NOT_A_ROLE else Role.AGENT
    if words and words[-1] in transcript_roles.CUSTOMER and len(words) <= 3:
        return Role.CUSTOMER
    return Role.CUSTOMER if words and words[0] in transcript_roles.CUSTOMER and len(words) == 1 else None


def _has_sentence(lines: Lines, turns: list[_TurnStart]) -> bool:
    """Return whether a turn has three words or more, unlike the fields of a form."""
    return any(len(lines.keys[turn.index].split()) > 3 for turn in turns) or any(
        turn.index + 1 < len(lines) and len(lines.keys[turn.index + 1].split()) > 2 for turn in turns
    )


def _end_of_label(lines: Lines, turn: _TurnStart) -> int:
    """The offset in the text behind the label of a turn and the blanks that follow it.

    The key lacks blanks and invisible characters of the text, so visible characters are counted.
    """
    offset, end = lines.starts[turn.index], lines.starts[turn.index + 1]
    visible = sum(not char.isspace() for char in lines.keys[turn.index][: turn.end])
    while visible and offset < end:
        char = lines.text[offset]
        visible -= bool(normalized(char)) and not unicodedata.combining(char)
        offset += 1
    while offset < end and lines.text[offset].isspace():
        offset += 1
    return offset


def _split_one_line_transcript(lines: Lines) -> None:
    """Split lines that hold several turns, as an export without line breaks does."""
    cuts: list[tuple[int, int]] = []
    for index in lines.undecided():
        start, end = lines.starts[index], lines.starts[index + 1]
        if end - start < MIN_ONE_LINE or lines.keys[index].count(":") < 3:
            continue
        labels = list(_INLINE_LABEL.finditer(lines.text, start, end))
        roles = {_role_of(label["label"].lower()) for label in labels}
        if len(labels) >= 3 and {Role.AGENT, Role.CUSTOMER} <= roles:
            cuts += [(index, label.start("label")) for label in labels if label.start("label") > start]
    lines.split_all(cuts)


_TIME = r"[\[(]?(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s)?\d{1,2}[:.h]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?[\])]?"
_TURN = re.compile(
    rf"(?:{_TIME}[\s,|>-]{{1,4}})?[*_]{{0,2}}(?P<label>[^\W\d_][^\W\d_.'-]*(?:[ .'/-]{{1,2}}[^\W\d_]+){{0,3}})(?:\s?[(\[](?P<note>[^()\[\]:]{{1,30}})[)\]])?"
    rf"(?:\s{{1,2}}{_TIME})?[*_]{{0,2}}\s?:[*_]{{0,2}}(?:\s|$)",
    re.IGNORECASE,
)
_LABEL = r"[^\W\d_][^\W\d_.'-]*(?:[ .'/-]{1,2}[^\W\d_]+){0,3}"
_OTHER_TURN = re.compile(
    rf"(?:{_TIME}[\s,|>-]{{1,4}})?(?:[<\[(](?P<bracketed>{_LABEL})[>\])][:\s]\s*|(?P<dashed>{_LABEL})(?:\s-+>?|>)\s"
    rf"|(?P<alone>{_LABEL})(?:\s?[(\[](?P<note>[^()\[\]:]{{1,30}})[)\]])?[\s,|@-]{{1,4}}{_TIME}$)|{_TIME}[\s,|-]{{1,4}}(?P<timed>{_LABEL})$",
    re.IGNORECASE,
)
""""[Agent] Hello", "Agent - Hello", "Agent 10:02" above the text."""
_BRACKETS = ("<", "[", "(")
_ROLE_NAMES = "|".join(
    sorted((word.capitalize() for word in transcript_roles.AGENT | transcript_roles.CUSTOMER), key=len, reverse=True)
)
_INLINE_LABEL = re.compile(rf"(?:^|(?<=[\s.!?]))(?P<label>{_ROLE_NAMES})\s?:\s")
_TITLE = re.compile(r"[-=*# ]{0,6}(?:chat|transcript|conversation|gespräch|verlauf|transcripción|historique|cronologia|trascrizione|rozmowa)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|-(?=[^\W\d_]))*")
_NOT_A_ROLE = frozenset("number no id email mail phone name ticket order since address type".split())
