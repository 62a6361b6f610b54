"""The own text of a message on one line, for tests of the message parser."""

from __future__ import annotations

from frontdesk.messages import IncomingMessage, parse


def own_text(text: str) -> str:
    """The own text of a plain text, with single blanks."""
    return " ".join(parse(IncomingMessage(text=text)).own.split())


def own_text_of_html(html: str) -> str:
    """The own text of an HTML mail, with single blanks."""
    return " ".join(parse(IncomingMessage(html=html)).own.split())
