"""Every number, date, amount, duration and percentage stands in a cited passage or in the customer's own text."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.text.quantities import SourceQuantities, find_quantities


def grounding(draft: Draft) -> Iterator[Finding]:
    """Figures that come from nowhere, in the reply's own words."""
    allowed = SourceQuantities([*draft.sources, draft.message.text])
    for quantity in find_quantities(draft.text):
        if not allowed.contains(quantity):
            yield Finding("grounding", f"“{quantity.text}” stands in no passage")
