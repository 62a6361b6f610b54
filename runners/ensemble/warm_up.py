"""Golden rows: results that a loaded bundle must reproduce before it may serve, and the precision that reproduces them.

A bundle contains the results of 16 messages for each CPU precision of its encoders. It also contains the results of the
fallback ensembles, so that a broken one is detected before members are unavailable. The integer kernels of onnxruntime
differ between processors: if int8 does not reproduce its rows, the fp32 graphs are used. fp16 runs only on GPUs and is
compared with the fp32 results, with a larger tolerance.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from frontdesk.errors import BundleError
from frontdesk.features.statistics import STATISTICS
from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from runners.ensemble.remote_ports import NO_REMOTE_SERVICES, RemoteServices
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.onnx_encoder import ENCODER_MEMBERS, Precision, PrecisionSetting

GOLDEN_TOLERANCE: Mapping[Precision, float] = MappingProxyType({"int8": 1e-3, "fp32": 1e-3, "fp16": 3e-2})
"""Largest allowed difference of a probability; fp16 has three digits."""

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that its master prints it


def golden_precisions(members: Sequence[str]) -> tuple[Precision, ...]:
    """Return the precisions whose results a bundle with these members contains; only fp32 without encoders."""
    return ("int8", "fp32") if set(members) & set(ENCODER_MEMBERS) else ("fp32",)


def load_warm_ensemble(
    bundle: Bundle,
    threads: int,
    *,
    provider: ExecutionProvider = ON_CPU,
    precision: PrecisionSetting = "auto",
    remote_services: RemoteServices = NO_REMOTE_SERVICES,
) -> Ensemble:
    """Load a bundle and run its golden rows. `auto` selects the first precision that reproduces them.

    Raises:
        BundleError: no precision reproduces the golden rows, or the bundle cannot be loaded.
    """
    precisions = _precisions_to_try(precision, provider)
    for candidate in precisions:
        ensemble = Ensemble.load(
            bundle, threads, provider=provider, precision=candidate, remote_services=remote_services
        )
        try:
            warm_up(ensemble, bundle)
            break
        except BundleError as error:
            if candidate == precisions[-1]:
                raise
            _log.warning("%s The encoders run in %s instead of %s.", error.message, precisions[-1], candidate)
    return ensemble


def warm_up(ensemble: Ensemble, bundle: Bundle) -> None:
    """Run the golden rows singly and as a batch, so that onnxruntime allocates memory, and compare the results.

    Raises:
        BundleError: a result differs from that in the bundle by more than `GOLDEN_TOLERANCE`.
    """
    golden = json.loads((bundle.files / "golden.json").read_bytes())
    texts, expected = golden["texts"], _select_expected_results(golden, ensemble.precision)
    batch_prediction = ensemble.predict(texts)
    for predictions in ([batch_prediction], [ensemble.predict([text]) for text in texts]):
        _check_golden_predictions(
            predictions, expected, ensemble.precision, f"The golden rows of bundle {bundle.version}"
        )
    for name, fallback_prediction in _fallback_predictions(ensemble, texts, batch_prediction):
        subject = f"The golden rows of bundle {bundle.version} {name.replace('_', ' ')}"
        _check_golden_predictions([fallback_prediction], expected["reserves"][name], ensemble.precision, subject)


def golden_results(ensemble: Ensemble, texts: Sequence[str]) -> dict[str, Any]:
    """Return the golden results of one precision: `intent`, `sentiment`, and both for each of `reserves`."""
    prediction = ensemble.predict(texts)
    return {
        **_to_json(prediction),
        "reserves": {name: _to_json(of) for name, of in _fallback_predictions(ensemble, texts, prediction)},
    }


def _fallback_predictions(
    ensemble: Ensemble, texts: Sequence[str], prediction: EnsemblePrediction
) -> Iterator[tuple[str, EnsemblePrediction]]:
    """Yield the prediction of each fallback ensemble from the scores of all members."""
    statistics = ensemble.features.extract(texts).dense[:, -len(STATISTICS) :]
    for name in ensemble.reserves:
        yield name, ensemble.predict_with_fallback(name, prediction.members, statistics)


def _to_json(prediction: EnsemblePrediction) -> dict[str, list[list[float]]]:
    return {"intent": prediction.intent.tolist(), "sentiment": prediction.sentiment.tolist()}


def _check_golden_predictions(
    predictions: Sequence[EnsemblePrediction], expected: Mapping[str, Any], precision: Precision, subject: str
) -> None:
    for task in ("intent", "sentiment"):
        actual = np.concatenate([getattr(prediction, task) for prediction in predictions])
        difference = float(np.abs(actual - np.array(expected[task])).max())
        if difference > GOLDEN_TOLERANCE[precision]:
            raise BundleError(
                f"{subject} come out differently here ({task} by {difference:.2g}).",
                field="golden.json",
                hint="Train on this machine, or check the onnxruntime version with: frontdesk doctor",
            )


def _precisions_to_try(setting: PrecisionSetting, provider: ExecutionProvider) -> tuple[Precision, ...]:
    if setting != "auto":
        return (setting,)
    return ("fp16", "fp32") if provider.is_gpu else ("int8", "fp32")


def _select_expected_results(golden: Mapping[str, Any], precision: Precision) -> Mapping[str, Any]:
    """Return the results to reproduce. fp16 and bundles without encoders use those of fp32."""
    results: Mapping[str, Any] = golden["expected"]
    selected: Mapping[str, Any] = results.get(precision, results["fp32"])
    return selected
