"""The model side of one worker: the layers around a warm ensemble, and the properties of the served bundle.

    Cached -> Balanced -> Batched -> ensemble

`bentos/wiring/model.py` assembles the layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from frontdesk.deadline import Deadline
from runners.balancing.balanced import Balanced
from runners.batching.batched import Batched
from runners.ensemble.ensemble import Ensemble
from runners.server.cached import Cached


class ModelServer:
    """Implements the pipeline's `Champion` port.

    Requests go to the outermost layer; properties of the bundle are read from `ensemble`.

    Args:
        ensemble: a warm ensemble.
        batched: the innermost layer, around `ensemble`.
        cached: the outermost layer.
        balanced: the layer between them; None if the server has no other workers.
    """

    def __init__(self, ensemble: Ensemble, batched: Batched, cached: Cached, balanced: Balanced | None = None) -> None:
        self.ensemble = ensemble
        self.version, self.taxonomy = ensemble.version, ensemble.taxonomy
        self.labels, self.sentiments, self.models = ensemble.taxonomy.labels, ensemble.sentiments, ensemble.models
        self.is_up = ensemble.is_up
        self.scores = batched.scores
        self.understand, self.close = cached.understand, cached.close
        self.balanced = balanced
        self._batched = batched
        self._check_disk: Callable[[], None] | None = None

    @property
    def waiting(self) -> int:
        """Number of texts in the queue."""
        return self._batched.waiting

    def check_room(self, *, bulk: bool = False) -> None:
        """Raise `Overloaded` if another text would be refused regardless of its deadline. `bulk`: texts of a batch.

        Also runs the check of `set_disk_check`, which may raise.
        """
        self._batched.check_room(bulk=bulk)
        if self._check_disk is not None:
            self._check_disk()

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        """Check that a batch of texts of these lengths in characters would be done before its deadline.

        Raises:
            Overloaded: the queue is full, or the batch would miss its deadline; with the size that would be accepted.
        """
        local_share = 1.0 if self.balanced is None else self.balanced.local_share(len(lengths))
        self._batched.check_batch(lengths, deadline, local_share)

    def set_disk_check(self, check: Callable[[], None]) -> None:
        """Set a check for new work. `check` refuses work by raising; it must take only microseconds."""
        self._check_disk = check
