"""The port of the model side. Each layer implements it around the next: Cached(Balanced(Batched(ensemble))).

Only the outermost layer knows tenants: `Cached.understand` also takes the tenant whose cache it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding


class Layer(Protocol):
    """Understands texts, itself or through the layer below it."""

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        """Return the ensemble's understanding of each text, in the order of `texts`."""

    async def close(self) -> None:
        """Finish accepted work, then close the layers below."""
