"""Check the tone: no shouting, no emoji, no phrases that the policy lists as unwanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import normalize_text

_UPPER_CASE_WORD = re.compile(r"\b[A-ZÄÖÜÅÉ]{4,}\b")
_MAX_EXCLAMATION_MARKS = 1
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d{1,3}\]")


def tone(draft: Draft) -> Iterator[ReplyDefect]:
    """Find shouting, emoji and unwanted phrases."""
    text = _PLACEHOLDER.sub("", draft.text)
    sources = "\n".join(draft.sources)
    if any(word not in sources for word in _UPPER_CASE_WORD.findall(text)):
        yield ReplyDefect("tone", "it must not shout")
    if text.count("!") > _MAX_EXCLAMATION_MARKS:
        yield ReplyDefect("tone", "it has too many exclamation marks")
    if any(unicodedata.category(char) in ("So", "Co", "Cn") for char in text):
        yield ReplyDefect("tone", "it must not hold emoji or symbols")
    for rule in draft.policy.unwanted:
        if any(pattern.search(normalize_text(text)) for pattern in rule.patterns):
            yield ReplyDefect("tone", f"it must not {rule.must_not}")
