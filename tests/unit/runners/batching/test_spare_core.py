from __future__ import annotations

import pytest

from runners.batching.spare_core import CORES, SpareCoreExecutor


@pytest.mark.parametrize("busy_others", range(CORES + 1))
def test_the_spare_core_is_one_that_no_worker_needs(busy_others: int) -> None:
    """The batcher's thread of this worker needs one core."""
    spare_core = SpareCoreExecutor(lambda: busy_others)
    assert (spare_core.executor() is not None) == (1 + busy_others < CORES)
    spare_core.close()


def test_a_single_worker_can_use_all_other_cores() -> None:
    spare_core = SpareCoreExecutor()
    assert (spare_core.executor() is not None) == (CORES > 1)
    spare_core.close()
