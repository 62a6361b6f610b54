"""Stock BentoML: members as services, a gateway that asks them all at once and runs the meta-learner.

    bentoml serve benchmarks.peers.bentoml_composition:EachMember     a service a member
    bentoml serve benchmarks.peers.bentoml_composition:LightTogether  the three light members share a service

Set up by its documentation of model composition and adaptive batching: `depends()`, `batchable=True`, calls gathered
through `to_async`, one worker a model, a gateway worker a core. Beyond the documentation it gets what was found to
help: `max_latency_ms` is large, being a limit beyond which requests are shed, not a window; and the client's session is
never renewed, for at its default of 100 requests those in flight fail. Scores cross as one array a text. In the
gateway, statistics and meta-learner are run text by text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import bentoml
import numpy as np

from benchmarks.peers.composed import Gateway, Names, Part
from benchmarks.peers.model import CORES

SERVICE: dict[str, Any] = {
    "traffic": {"timeout": 60},
    "runner_connection": {"max_requests": 1_000_000_000, "max_age": 1_000_000_000.0},
    "logging": {"access": {"enabled": False}},
}
BATCHED: dict[str, Any] = {"batchable": True, "max_batch_size": 32, "max_latency_ms": 60_000}
DISTILBERT: Names = ("distilbert",)
ROBERTA: Names = ("roberta",)
LOGISTIC_REGRESSION: Names = ("logistic_regression",)
RANDOM_FOREST: Names = ("random_forest",)
XGBOOST: Names = ("xgboost",)
LIGHT = LOGISTIC_REGRESSION + RANDOM_FOREST + XGBOOST


def service_of(names: Names) -> Any:
    """A service that holds these members and joins the texts of concurrent requests into one call of them."""

    @bentoml.service(name=f"peer_{'_and_'.join(names)}", workers=1, **SERVICE)
    class Members:
        def __init__(self) -> None:
            self._part = Part(names)

        @bentoml.api(**BATCHED)
        def scores(self, texts: list[str]) -> np.ndarray:
            return self._part.rows(texts)

    return Members


DistilBert, Roberta = service_of(DISTILBERT), service_of(ROBERTA)
LogisticRegression, RandomForest, XGBoost = map(service_of, (LOGISTIC_REGRESSION, RANDOM_FOREST, XGBOOST))
LightMembers = service_of(LIGHT)


@bentoml.service(name="peer_each_member", workers=CORES, **SERVICE)
class EachMember:
    distilbert = bentoml.depends(DistilBert)
    roberta = bentoml.depends(Roberta)
    logistic_regression = bentoml.depends(LogisticRegression)
    random_forest = bentoml.depends(RandomForest)
    xgboost = bentoml.depends(XGBoost)

    def __init__(self) -> None:
        self._gateway = Gateway()

    @bentoml.api
    async def understand(self, text: str) -> dict[str, Any]:
        services = {
            DISTILBERT: self.distilbert,
            ROBERTA: self.roberta,
            LOGISTIC_REGRESSION: self.logistic_regression,
            RANDOM_FOREST: self.random_forest,
            XGBOOST: self.xgboost,
        }
        return self._gateway.understanding(text, await asked(services, text))


@bentoml.service(name="peer_light_together", workers=CORES, **SERVICE)
class LightTogether:
    distilbert = bentoml.depends(DistilBert)
    roberta = bentoml.depends(Roberta)
    light_members = bentoml.depends(LightMembers)

    def __init__(self) -> None:
        self._gateway = Gateway()

    @bentoml.api
    async def understand(self, text: str) -> dict[str, Any]:
        services = {DISTILBERT: self.distilbert, ROBERTA: self.roberta, LIGHT: self.light_members}
        return self._gateway.understanding(text, await asked(services, text))


async def asked(services: Mapping[Names, Any], text: str) -> dict[Names, np.ndarray]:
    """What each service says of a text, all at work at once."""
    rows = await asyncio.gather(*(service.to_async.scores([text]) for service in services.values()))
    return dict(zip(services, rows, strict=True))
