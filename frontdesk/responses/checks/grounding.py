"""Every number, date, amount, duration and percentage stands in a cited passage or in the customer's own text."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.responses.checks.types import Draft, Finding
from frontdesk.responses.text.quantities import Grounds, figures


def grounding(draft: Draft) -> Iterator[Finding]:
    """Figures that come from nowhere, in the reply's own words."""
    grounds = Grounds([*draft.sources, draft.customer.text])
    for figure in figures(draft.text):
        if not grounds.hold(figure):
            yield Finding("grounding", f"“{figure.written}” stands in no passage")
