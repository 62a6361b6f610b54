"""The meta-learner as a separate service, for placement `distributed`."""

from __future__ import annotations

from collections.abc import Callable

import bentoml

from runners.ensemble.ensemble import load_meta_learner_scorers
from runners.ensemble.remote_ports import MetaLearnerScorer
from runners.remote.placement import META_LEARNER
from runners.remote.tensor_codec import Arrays
from runners.services.runner_service import SETTINGS, Runner, RunnerService, open_pinned_bundle


@bentoml.service(name=META_LEARNER, service_class=RunnerService, workers=1, **SETTINGS.bentoml)
class MetaLearner(Runner):
    """Both candidate scorers of the pinned bundle."""

    def __init__(self) -> None:
        bundle = open_pinned_bundle()
        super().__init__(
            bundle, build_meta_learner_handler(*load_meta_learner_scorers(bundle, SETTINGS.model.onnx_threads))
        )


def build_meta_learner_handler(intent: MetaLearnerScorer, sentiment: MetaLearnerScorer) -> Callable[[Arrays], Arrays]:
    """Return a call handler that computes the probabilities of both tasks, before calibration."""

    def answer(arrays: Arrays) -> Arrays:
        statistics = arrays["statistics"]
        return {
            "intent": intent.probabilities(arrays["intent"], statistics),
            "sentiment": sentiment.probabilities(arrays["sentiment"], statistics),
        }

    return answer
