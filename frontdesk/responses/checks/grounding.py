"""Check that every number, date, amount, duration and percentage occurs in a passage or in the customer's message."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.responses.text.quantities import SourceQuantities, find_quantities


def grounding(draft: Draft) -> Iterator[ReplyDefect]:
    """Find quantities without a source."""
    allowed = SourceQuantities([*draft.sources, draft.message.text])
    for quantity in find_quantities(draft.text):
        if not allowed.contains(quantity):
            yield ReplyDefect("grounding", f"“{quantity.text}” stands in no passage")
