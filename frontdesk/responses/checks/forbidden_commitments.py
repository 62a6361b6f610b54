"""Check for commitments that the policy forbids, by the patterns in `policy/replies.yaml` for eight languages."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.normalization import normalize_text


def promises(draft: Draft) -> Iterator[ReplyDefect]:
    """Find forbidden commitments. A phrase that occurs in a passage is allowed."""
    text = normalize_text(draft.text)
    sources = "\n".join(normalize_text(source) for source in draft.sources)
    for rule in draft.policy.forbidden:
        for pattern in rule.patterns:
            if (match := pattern.search(text)) and match[0] not in sources:
                yield ReplyDefect("promises", f"it must not {rule.must_not}")
                break
