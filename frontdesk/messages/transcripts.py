"""Split a chat transcript that was pasted as text: the agent's turns and the labels are separated.

    Agent: Hello, how can I help?
    Customer: Where is order 55810?

The own text is "Where is order 55810?". Lines count as a transcript only if they name both sides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from frontdesk.messages.lexicons import transcript_roles
from frontdesk.messages.lines import Lines, normalized
from frontdesk.types.message import PartKind, Role

MIN_TURNS = 2
MAX_LABEL = 60
MAX_LABELS = 1_000
"""Lines with a colon that are examined at most."""
MIN_ONE_LINE = 40
MAX_TITLE_DISTANCE = 3


class _Turn(NamedTuple):
    """A line that begins a turn; `end` is the end of the label in the key of the line."""

    line: int
    label: str
    role: Role | None
    end: int


def mark_transcript(lines: Lines) -> None:
    """Set the kind of the agent's turns and of all labels, if the lines hold a transcript."""
    _split_one_line_transcript(lines)
    turns = _turns(lines)
    if not turns:
        return
    _mark_turns_of_agent(lines, turns)
    cuts = []
    for turn in turns:
        if turn.role is Role.CUSTOMER:
            offset = _end_of_label(lines, turn)
            if offset < lines.starts[turn.line + 1]:
                cuts.append((turn.line, offset))
            else:
                lines.kinds[turn.line] = PartKind.TRANSCRIPT
    for index in lines.split_all(cuts):
        lines.kinds[index] = PartKind.TRANSCRIPT


def _turns(lines: Lines) -> list[_Turn]:
    """The turns of a transcript, each with its side; empty where the lines are no transcript."""
    candidates = [index for index in lines.undecided() if _may_be_label(lines.keys[index])]
    if len(candidates) < MIN_TURNS:
        return []
    turns = [turn for index in candidates[:MAX_LABELS] if (turn := _turn_in(index, lines.keys[index]))]
    roles = {turn.role for turn in turns if turn.role}
    other_labels = {turn.label for turn in turns if turn.role is None}
    if len(roles) == 1 and len(other_labels) == 1 and len(turns) > MIN_TURNS:  # a name stands for the other side
        other = Role.AGENT if Role.CUSTOMER in roles else Role.CUSTOMER
        return [turn if turn.role else turn._replace(role=other) for turn in turns]
    with_role = [turn for turn in turns if turn.role]
    is_form = len(turns) - len(with_role) > len(with_role) / 2 or not _has_sentence(lines, with_role)
    return [] if len(roles) < 2 or is_form else with_role


def _may_be_label(key: str) -> bool:
    beginning = key[:MAX_LABEL]
    if ":" in beginning or " - " in beginning or "> " in beginning:
        return True
    return key[:1] in _BRACKETS and bool(key)


def _turn_in(index: int, key: str) -> _Turn | None:
    """The turn that begins in a line: after a label with a colon, or a role in another form."""
    match = _LABELLED.match(key)
    if match:
        label = match["label"].lower()
        return _Turn(index, label, _role_of(f"{label} {match['note'] or ''}".lower()), match.end())
    match = _OTHER_FORMS.match(key)
    if match:
        label = (match["bracketed"] or match["dashed"] or match["alone"] or match["timed"]).lower()
        role = _role_of(f"{label} {match['note'] or ''}".lower())
        if role:
            return _Turn(index, label, role, match.end())
    return None


def _mark_turns_of_agent(lines: Lines, turns: list[_Turn]) -> None:
    """Mark the agent's turns with the lines that belong to them, and the title of the transcript."""
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        if turn.role is not Role.AGENT:
            continue
        end = turn.line + 1
        if following:
            end = following.line
        else:  # what follows the last turn after a blank line may be the customer's
            while end < len(lines) and lines.keys[end]:
                end += 1
        for index in range(turn.line, end):
            lines.kinds[index] = lines.kinds[index] or PartKind.TRANSCRIPT
    first = turns[0].line
    for index in range(max(0, first - MAX_TITLE_DISTANCE), first):
        if lines.kinds[index] is None and _TITLE.match(lines.keys[index]):
            lines.kinds[index] = PartKind.TRANSCRIPT


def _role_of(label: str) -> Role | None:
    words = _WORD.findall(label)
    if not transcript_roles.AGENT.isdisjoint(words):
        return None if words[-1] in _NOT_A_ROLE else Role.AGENT
    if words and words[-1] in transcript_roles.CUSTOMER and len(words) <= 3:
        return Role.CUSTOMER
    return Role.CUSTOMER if words and words[0] in transcript_roles.CUSTOMER and len(words) == 1 else None


def _has_sentence(lines: Lines, turns: list[_Turn]) -> bool:
    """Return whether a turn has three words or more, unlike the fields of a form."""
    return any(len(lines.keys[turn.line].split()) > 3 for turn in turns) or any(
        turn.line + 1 < len(lines) and len(lines.keys[turn.line + 1].split()) > 2 for turn in turns
    )


def _end_of_label(lines: Lines, turn: _Turn) -> int:
    """The offset in the text behind the label of a turn and the blanks that follow it.

    The key lacks blanks and invisible characters of the text, so visible characters are counted.
    """
    offset, end = lines.starts[turn.line], lines.starts[turn.line + 1]
    visible = sum(not char.isspace() for char in lines.keys[turn.line][: turn.end])
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


_BRACKETS = ("<", "[", "(")
_TIME = r"[\[(]?(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s)?\d{1,2}[:.h]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?[\])]?"
_LABEL = r"[^\W\d_][^\W\d_.'-]*(?:[ .'/-]{1,2}[^\W\d_]+){0,3}"
_NOTE = r"(?:\s?[(\[](?P<note>[^()\[\]:]{1,30})[)\]])?"
_LABELLED = re.compile(
    rf"(?:{_TIME}[\s,|>-]{{1,4}})?[*_]{{0,2}}(?P<label>{_LABEL}){_NOTE}(?:\s{{1,2}}{_TIME})?[*_]{{0,2}}\s?:[*_]{{0,2}}(?:\s|$)",
    re.IGNORECASE,
)
_OTHER_FORMS = re.compile(
    rf"(?:{_TIME}[\s,|>-]{{1,4}})?(?:[<\[(](?P<bracketed>{_LABEL})[>\])][:\s]\s*|(?P<dashed>{_LABEL})(?:\s-+>?|>)\s"
    rf"|(?P<alone>{_LABEL}){_NOTE}[\s,|@-]{{1,4}}{_TIME}$)|{_TIME}[\s,|-]{{1,4}}(?P<timed>{_LABEL})$",
    re.IGNORECASE,
)
""""[Agent] Hello", "Agent - Hello", "Agent 10:02" above the text."""
_ROLE_NAMES = "|".join(
    sorted((word.capitalize() for word in transcript_roles.AGENT | transcript_roles.CUSTOMER), key=len, reverse=True)
)
_INLINE_LABEL = re.compile(rf"(?:^|(?<=[\s.!?]))(?P<label>{_ROLE_NAMES})\s?:\s")
_TITLE = re.compile(
    r"[-=*# ]{0,6}(?:chat|transcript|conversation|gespräch|verlauf|transcripción|historique|cronologia|trascrizione"
    r"|rozmowa)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|-(?=[^\W\d_]))*")
_NOT_A_ROLE = frozenset("number no id email mail phone name ticket order since address type".split())
