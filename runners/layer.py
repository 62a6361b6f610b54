"""The interface of the layers of the model side. Each layer wraps the next: Cached(Balanced(Batched(ensemble))).

Only the outermost layer depends on the tenant: `Cached.understand` also takes the tenant whose cache it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding


class PredictionLayer(Protocol):
    """Predicts the understanding of texts, directly or through the layer below."""

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        """Return the ensemble's understanding of each text, in the order of `texts`."""

    async def close(self) -> None:
        """Finish accepted work, then close the layers below."""
