"""Stock BentoML: base models as services, and a gateway that calls them in parallel and runs the meta-learner.

    bentoml serve benchmarks.peers.bentoml_composition:EachMember     one service per base model
    bentoml serve benchmarks.peers.bentoml_composition:LightTogether  the three light base models share a service

Set up according to the documentation of model composition and adaptive batching: `depends()`, `batchable=True`,
parallel calls through `to_async`, one worker per model, one gateway worker per core. Two settings beyond the
documentation were found to help: `max_latency_ms` is large, because it is a limit beyond which requests are shed, not
a batching window; and the session of the client is never renewed, because with the default of 100 requests the
requests in flight fail. The gateway runs statistics and meta-learner for one text at a time.

A service returns one float32 row per text: for each base model its intents and three sentiments, and for an encoder
also mean and entropy of its dropout samples.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bentoml
import numpy as np

from benchmarks.peers.model import CORES, bundle, precision, to_python
from frontdesk.features.extractor import FeatureBatch
from frontdesk.features.statistics import statistics
from frontdesk.scores import DropoutStatistics, Floats, Scores
from runners.ensemble.ensemble import Ensemble, load_features, load_member, load_meta_learner_scorers
from runners.models.base_model import ModelBatch
from runners.models.calibration import Calibration
from runners.models.onnx_encoder import ENCODER_MEMBERS

ModelNames = tuple[str, ...]
"""Names of the base models of a service, in the order of their scores."""

SERVICE_OPTIONS: dict[str, Any] = {
    "traffic": {"timeout": 60},
    "runner_connection": {"max_requests": 1_000_000_000, "max_age": 1_000_000_000.0},
    "logging": {"access": {"enabled": False}},
}
BATCH_OPTIONS: dict[str, Any] = {"batchable": True, "max_batch_size": 32, "max_latency_ms": 60_000}
DISTILBERT: ModelNames = ("distilbert",)
ROBERTA: ModelNames = ("roberta",)
LOGISTIC_REGRESSION: ModelNames = ("logistic_regression",)
RANDOM_FOREST: ModelNames = ("random_forest",)
XGBOOST: ModelNames = ("xgboost",)
LIGHT = LOGISTIC_REGRESSION + RANDOM_FOREST + XGBOOST
SENTIMENTS = 3
NO_FEATURES = FeatureBatch((), np.empty((0, 0), np.float32))


def create_service(names: ModelNames) -> Any:
    """Create a service with these base models that batches the texts of concurrent requests."""

    @bentoml.service(name=f"peer_{'_and_'.join(names)}", workers=1, **SERVICE_OPTIONS)
    class Members:
        def __init__(self) -> None:
            opened = bundle()
            folder = opened.path / "members"
            self._members = [load_member(name, folder, threads=1, precision=precision()) for name in names]
            self._features = None if set(names) <= set(ENCODER_MEMBERS) else load_features(opened)

        @bentoml.api(**BATCH_OPTIONS)
        def scores(self, texts: list[str]) -> np.ndarray:
            features = self._features.extract(texts) if self._features else NO_FEATURES
            batch = ModelBatch(texts, features, sampling=True)
            return to_rows([member.scores(batch) for member in self._members])

    return Members


DistilBert, Roberta = create_service(DISTILBERT), create_service(ROBERTA)
LogisticRegression, RandomForest, XGBoost = map(create_service, (LOGISTIC_REGRESSION, RANDOM_FOREST, XGBOOST))
LightMembers = create_service(LIGHT)


class Gateway:
    """Runs statistics, meta-learner and calibration after all services have answered for a text."""

    def __init__(self) -> None:
        opened = bundle()
        intent_scorer, sentiment_scorer = load_meta_learner_scorers(opened, threads=1)
        self._names, self._intents = opened.manifest.members, len(opened.manifest.intents)
        self._ensemble = Ensemble(
            version=opened.version,
            taxonomy=opened.taxonomy(),
            sentiments=opened.manifest.sentiments,
            features=_Statistics(),  # type: ignore[arg-type]  # the only features that the meta-learner uses
            members=(),
            intent_scorer=intent_scorer,
            sentiment_scorer=sentiment_scorer,
            calibration=Calibration.load(opened.path / "calibration.json"),
        )

    def understanding(self, text: str, rows: Mapping[ModelNames, Floats]) -> dict[str, Any]:
        """Return the understanding of one text; `rows` maps the base models of each service to its row."""
        scores: dict[str, Scores] = {}
        for names, row in rows.items():
            scores |= zip(names, to_scores(row, names, self._intents), strict=True)
        members = tuple(_Scored(name, scores[name]) for name in self._names)
        (understanding,) = replace(self._ensemble, members=members).understand([text])
        return to_python(understanding)


@dataclass(frozen=True, slots=True)
class _Scored:
    """A base model with precomputed scores."""

    name: str
    precomputed: Scores

    def scores(self, _: ModelBatch) -> Scores:
        return self.precomputed


class _Statistics:
    def extract(self, texts: Sequence[str]) -> FeatureBatch:
        return FeatureBatch((), np.stack([statistics(text) for text in texts]))


@bentoml.service(name="peer_each_member", workers=CORES, **SERVICE_OPTIONS)
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
        return self._gateway.understanding(text, await gather_scores(services, text))


@bentoml.service(name="peer_light_together", workers=CORES, **SERVICE_OPTIONS)
class LightTogether:
    distilbert = bentoml.depends(DistilBert)
    roberta = bentoml.depends(Roberta)
    light_members = bentoml.depends(LightMembers)

    def __init__(self) -> None:
        self._gateway = Gateway()

    @bentoml.api
    async def understand(self, text: str) -> dict[str, Any]:
        services = {DISTILBERT: self.distilbert, ROBERTA: self.roberta, LIGHT: self.light_members}
        return self._gateway.understanding(text, await gather_scores(services, text))


async def gather_scores(services: Mapping[ModelNames, Any], text: str) -> dict[ModelNames, np.ndarray]:
    """Return the row of each service for a text; the services are called in parallel."""
    rows = await asyncio.gather(*(service.to_async.scores([text]) for service in services.values()))
    return dict(zip(services, rows, strict=True))


def to_rows(members: Sequence[Scores]) -> Floats:
    """Concatenate the scores of the base models to an array (texts, columns), float32."""
    parts: list[Floats] = []
    for scores in members:
        parts += [scores.intent, scores.sentiment]
        if scores.sampled is not None:
            parts += [scores.sampled.mean, scores.sampled.entropy[:, None]]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def to_scores(rows: Floats, members: Sequence[str], intents: int) -> Iterator[Scores]:
    """Inverse of `to_rows`."""
    column = 0
    for name in members:
        sampled = None
        intent, sentiment = (
            rows[:, column : column + intents],
            rows[:, column + intents : column + intents + SENTIMENTS],
        )
        column += intents + SENTIMENTS
        if name in ENCODER_MEMBERS:
            sampled = DropoutStatistics(rows[:, column : column + intents], rows[:, column + intents])
            column += intents + 1
        yield Scores(intent, sentiment, sampled)
