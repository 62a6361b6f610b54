"""From what arrived to the customer's own new words: mail, HTML, quotations, signatures, transcripts, robots.

Pure functions of text: no input or output, no models. `parse` is the only entry point.
"""

from frontdesk.messages.parser import parse
from frontdesk.types.message import HEADER_NAMES, Act, IncomingMessage, Message, Part, PartKind, Role, Turn

__all__ = ["HEADER_NAMES", "Act", "IncomingMessage", "Message", "Part", "PartKind", "Role", "Turn", "parse"]
