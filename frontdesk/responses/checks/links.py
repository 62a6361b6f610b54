"""Check that all addresses of web pages and mailboxes come from the passages.

Addresses in the customer's message are not allowed either, because readers trust the links of a reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import normalize_text

_ADDRESS = re.compile(
    r"[a-z][a-z\d+.-]{1,15}:/{1,}\S*"  # any scheme
    r"|\b(?:javascript|data|mailto|tel|sms|whatsapp|file):\S+"
    r"|[\w.%+-]+@[\w.-]+"
    r"|\bwww\.\S+"
    r"|(?<![\w@.])[a-z\d](?:[a-z\d-]*\.)+[a-z]{2,}\b(?:/\S*)?"
    r"|\bh(?:xx|tt)ps?\b\S*"
    r"|\b[\w-]+ ?[\[(]? ?(?:dot|punkt|point|punto|punt|ponto|at) ?[\])]? ?(?:com|net|org|io|info|ru|de|co|biz|xyz)\b"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"
)
_TRAILING_PUNCTUATION = ".,;:!?)]}'\"*"


def links(draft: Draft) -> Iterator[ReplyDefect]:
    """Find addresses that occur in no passage."""
    allowed = {
        address.rstrip(_TRAILING_PUNCTUATION)
        for source in draft.sources
        for address in _ADDRESS.findall(normalize_text(source))
    }
    for address in _ADDRESS.findall(normalize_text(draft.text)):
        if address.rstrip(_TRAILING_PUNCTUATION) not in allowed:
            yield ReplyDefect("links", "it holds an address that stands in no passage")
