"""Can this bundle be served here? Tried in a process of its own, so that the serving master keeps none of its memory.

The master only needs to know the precision in which the golden rows come out. Loaded in the master itself, the models'
250 MB would stay there for as long as it lives, and on a machine with a GPU a context of it too.
"""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from frontdesk.errors import BundleError
from model_store.bundle import Bundle
from runners.models.encoder import Precision, PrecisionWish
from runners.models.provider import Wish
from runners.models.session import find_provider
from runners.warm_up import open_warm

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that its master prints it


def rehearse(bundle: Bundle, threads: int, *, provider: Wish, precision: PrecisionWish, engines: Path) -> Precision:
    """Load the bundle as a worker will, and give the precision in which it reproduced its golden rows.

    Raises:
        BundleError: it cannot be served, or the process that tried was killed.
        ConfigurationError: the provider does not work here.
    """
    spawn = multiprocessing.get_context("spawn")  # a forked onnxruntime may inherit a lock that is held
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as process:
        try:
            found = process.submit(_rehearsed, bundle, threads, provider, precision, engines).result()
        except BrokenProcessPool:
            raise BundleError(
                f"Loading bundle {bundle.version} was ended from outside, most often for want of memory.",
                field="bundle",
                hint="A server needs about 0.5 GB for each worker: see server.workers.",
            ) from None
    if precision == "auto" and found == "fp32":
        _log.warning("The golden rows come out in fp32 alone here, so the encoders run in fp32: slower, but right.")
    return found


def _rehearsed(bundle: Bundle, threads: int, provider: Wish, precision: PrecisionWish, engines: Path) -> Precision:
    _log.addHandler(logging.NullHandler())  # without BentoML's handlers Python would print what the master tells itself
    found = find_provider(provider, engines)
    return open_warm(bundle, threads, provider=found, precision=precision).precision
