"""The columns of a table that make up a message, and the message of a row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from frontdesk.messages import HEADER_NAMES, IncomingMessage, Role, Turn
from frontdesk.messages.limits import MAX_FIELD_CHARACTERS
from training.data.escaped_line_breaks import restore_line_breaks
from training.data.missing_values import is_blank, is_missing_text
from training.data.tables import Row
from training.data.tables.encoding import has_undecodable_bytes


class UnreadableMessageError(ValueError):
    """The row has no message that can be classified. The text is the reason and never contains the message."""


@dataclass(frozen=True, slots=True)
class MessageColumns:
    """Names of columns. Several `text` columns are joined by blank lines; the others are optional.

    `headers` holds a JSON object, `transcript` a JSON list of `{"role": "customer", "text": "..."}`; JSON lines may
    have both as values.
    """

    text: tuple[str, ...]
    subject: str | None = None
    html: str | None = None
    headers: str | None = None
    transcript: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        return (*self.text, *filter(None, (self.subject, self.html, self.headers, self.transcript)))

    def read(self, row: Row) -> IncomingMessage:
        """Return the message of a row.

        Raises:
            UnreadableMessageError: a cell has a value of another kind, or there is no text.
            DataError: two keys of a JSON object differ only in case.
        """
        cells = [cell for name in self.text if not is_missing_text(cell := row.cell(name))]
        html = _text(row.cell(self.html)) if self.html else None
        if not all(isinstance(cell, str) for cell in cells):
            raise UnreadableMessageError("has no text")
        text = restore_line_breaks("\n\n".join(cells))
        turns = _turns(row.cell(self.transcript)) if self.transcript else ()
        if is_blank(text) and not html and not turns:
            raise UnreadableMessageError("has no text")
        _check_text(text)
        return IncomingMessage(
            text,
            html=html or None,
            subject=_text(row.cell(self.subject)) if self.subject else "",
            headers=_headers(row.cell(self.headers)) if self.headers else {},
            transcript=turns,
        )


def _check_text(text: str) -> None:
    if has_undecodable_bytes(text):
        raise UnreadableMessageError("is not UTF-8")
    if "\x00" in text:
        raise UnreadableMessageError("holds NUL characters")
    if len(text) > MAX_FIELD_CHARACTERS:
        raise UnreadableMessageError(f"has {len(text)} characters; at most {MAX_FIELD_CHARACTERS} are supported")


def _text(value: object) -> str:
    text = "" if is_missing_text(value) else value
    if not isinstance(text, str):
        raise UnreadableMessageError("has a text that is not text")
    _check_text(text)
    return text


def _json(value: object, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError:
        raise UnreadableMessageError(f"has {name} that are not JSON") from None


def _headers(value: object) -> dict[str, str]:
    headers = _json(value, "headers") or {}
    if not isinstance(headers, dict):
        raise UnreadableMessageError("has headers that are not a JSON object")
    return {name.lower(): _text(content) for name, content in headers.items() if name.lower() in HEADER_NAMES}


def _turns(value: object) -> tuple[Turn, ...]:
    turns = _json(value, "turns") or []
    try:
        return tuple(Turn(Role(turn["role"]), _text(turn["text"])) for turn in turns)
    except (TypeError, KeyError, ValueError):
        raise UnreadableMessageError("has a transcript that is not a JSON list of roles and texts") from None
