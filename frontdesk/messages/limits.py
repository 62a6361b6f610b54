"""Limits of a message: how much text of the customer's own is evaluated, and how long each field may be."""

from __future__ import annotations

from frontdesk.errors import InvalidQuery
from frontdesk.messages.parser import parse
from frontdesk.types.message import IncomingMessage, Message

MAX_OWN_CHARACTERS = 4_000
"""Limit of the customer's own text, without quotations, signatures and footers."""
MAX_FIELD_CHARACTERS = 65_536
"""Limit of `text`, of `html` and of all turns of a transcript together."""
MAX_SUBJECT_CHARACTERS = 998
"""Limit of a subject, and of the value of a header: that of a line by RFC 5322."""
MAX_TURNS = 200


def parse_message(incoming: IncomingMessage) -> Message:
    """Parse a message and check the length of the customer's own text.

    Raises:
        InvalidQuery: the message has no visible character, or more own text than `MAX_OWN_CHARACTERS`.
    """
    message = parse(incoming)
    if len(message.own) > MAX_OWN_CHARACTERS:
        field = "html" if incoming.html else "text" if incoming.text.strip() else "transcript"
        rest = " without quotations, signatures and footers" if len(message.parts) > 1 else ""
        problem = f"should have at most {MAX_OWN_CHARACTERS} characters{rest}; it has {len(message.own)}"
        raise InvalidQuery(f"{field} {problem}.", violations=((field, problem),), hint="See /docs for the fields.")
    return message
