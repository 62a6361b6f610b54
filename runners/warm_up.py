"""Golden rows: what a loaded bundle must reproduce before it may serve, and the precision in which it does.

A bundle holds the results of 16 messages for each precision that a CPU runs its encoders in. onnxruntime's integer
kernels differ between processors: where int8 does not reproduce its rows, the fp32 graphs are used instead. fp16 runs
on GPUs alone and is compared with fp32, to fewer digits.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from frontdesk.errors import BundleError
from model_store.bundle import Bundle
from runners.elsewhere import NOTHING, Elsewhere
from runners.ensemble import Ensemble
from runners.models.encoder import ENCODER_MEMBERS, Precision, PrecisionWish
from runners.models.provider import ON_CPU, Provider

GOLDEN_TOLERANCE: Mapping[Precision, float] = MappingProxyType({"int8": 1e-3, "fp32": 1e-3, "fp16": 3e-2})
"""The largest difference of any probability; fp16 has three digits."""

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that its master prints it


def golden_precisions(members: Sequence[str]) -> tuple[Precision, ...]:
    """The precisions whose results a bundle of these members holds; without encoders there is only one."""
    return ("int8", "fp32") if set(members) & set(ENCODER_MEMBERS) else ("fp32",)


def open_warm(
    bundle: Bundle,
    threads: int,
    *,
    provider: Provider = ON_CPU,
    precision: PrecisionWish = "auto",
    elsewhere: Elsewhere = NOTHING,
) -> Ensemble:
    """Load a bundle and run its golden rows; with `auto`, in the first precision of the provider that reproduces them.

    Raises:
        BundleError: when none does, or when the bundle cannot be loaded.
    """
    tried = _tried(precision, provider)
    for wanted in tried:
        ensemble = Ensemble.load(bundle, threads, provider=provider, precision=wanted, elsewhere=elsewhere)
        try:
            warm_up(ensemble, bundle)
            break
        except BundleError as error:
            if wanted == tried[-1]:
                raise
            _log.warning("%s The encoders run in %s instead of %s.", error.message, tried[-1], wanted)
    return ensemble


def warm_up(ensemble: Ensemble, bundle: Bundle) -> None:
    """Run the golden rows alone and together: onnxruntime allocates what it needs, the results must be those sealed.

    Raises:
        BundleError: when this machine's results differ from the sealed ones by more than `GOLDEN_TOLERANCE`.
    """
    golden = json.loads((bundle.path / "golden.json").read_text(encoding="utf-8"))
    expected = _expected(golden, ensemble.precision)
    together = ensemble.judge(golden["texts"])
    alone = [ensemble.judge([text]) for text in golden["texts"]]
    for task in ("intent", "sentiment"):
        wanted = np.array(expected[task])
        singly = np.concatenate([getattr(judgement, task) for judgement in alone])
        off = max(float(np.abs(getattr(together, task) - wanted).max()), float(np.abs(singly - wanted).max()))
        if off > GOLDEN_TOLERANCE[ensemble.precision]:
            raise BundleError(
                f"The golden rows of bundle {bundle.version} come out differently here ({task} by {off:.2g}).",
                field="golden.json",
                hint="Train on this machine, or check the onnxruntime version with: frontdesk doctor",
            )


def _tried(wish: PrecisionWish, provider: Provider) -> tuple[Precision, ...]:
    if wish != "auto":
        return (wish,)
    return ("fp16", "fp32") if provider.on_gpu else ("int8", "fp32")


def _expected(golden: Mapping[str, Any], precision: Precision) -> Mapping[str, Any]:
    """The results to reproduce; a bundle without encoders has those of fp32 alone, and so has fp16."""
    results: Mapping[str, Any] = golden["expected"]
    found: Mapping[str, Any] = results.get(precision, results["fp32"])
    return found
