"""A loaded bundle: from masked texts to their understanding. The second main path of the product, after the pipeline.

    features -> base models -> meta-learner -> calibration -> understanding

Synchronous and stateless between calls; the batcher decides which texts run together. The result of a text does not
depend on the other texts of its batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from frontdesk.errors import BundleError, Overloaded
from frontdesk.features.extractor import FeatureBatch, FeatureExtractor
from frontdesk.features.statistics import STATISTICS
from frontdesk.masking import MASKING_VERSION
from frontdesk.masking.masker import pattern_version
from frontdesk.scores import Floats, Scores
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import Understanding
from frontdesk.verified_files import ReadableFile
from model_store.bundle import Bundle
from runners.ensemble.parallel_members import score_members
from runners.ensemble.prediction import EnsemblePrediction, UnderstandingBuilder
from runners.ensemble.remote_ports import NO_REMOTE_SERVICES, MemberService, MetaLearnerScorer, RemoteServices
from runners.models.base_model import Member, ModelBatch
from runners.models.calibration import Calibration
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.linear import LogisticRegression
from runners.models.meta_learner import CandidateScorer
from runners.models.onnx_encoder import ENCODER_MEMBERS, Encoder, Precision, default_precision
from runners.models.trees import TREE_MEMBERS, TreeModel

ENSEMBLE = "ensemble"
FALLBACKS_FOLDER = "reserves"
_NO_ROWS = FeatureBatch((), np.empty((0, 0), np.float32))  # encoders use only the texts


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A loaded bundle. Members and scorers that are not loaded in this process belong to `remote_services`.

    `reserves` are the fallback ensembles, by name. Each uses a subset of the members, for the time in which the other
    members are unavailable. Its scorers are always loaded in this process; scorers and calibration were trained without
    the other members.
    """

    version: str
    taxonomy: Taxonomy
    sentiments: tuple[str, ...]
    features: FeatureExtractor
    members: tuple[Member, ...]
    intent_scorer: MetaLearnerScorer
    sentiment_scorer: MetaLearnerScorer
    calibration: Calibration
    precision: Precision = "int8"
    remote_services: RemoteServices = NO_REMOTE_SERVICES
    reserves: Mapping[str, Ensemble] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        threads: int = 1,
        *,
        provider: ExecutionProvider = ON_CPU,
        precision: Precision | None = None,
        remote_services: RemoteServices = NO_REMOTE_SERVICES,
    ) -> Ensemble:
        """Load all parts of a verified bundle that are not in `remote_services`.

        Args:
            bundle: the bundle to load.
            threads: number of threads of each session.
            provider: execution provider of the encoders.
            precision: of the encoder graphs; None for the default of the provider.
            remote_services: models that run in other processes.

        Raises:
            BundleError: this code computes other features than those the bundle was trained with; names the field.
        """
        manifest = bundle.manifest
        precision = precision or default_precision(provider)
        remote_members = {member.name: member for service in remote_services.members for member in service.members}
        intent_scorer, sentiment_scorer = (
            remote_services.meta_learner.scorers
            if remote_services.meta_learner
            else load_meta_learner_scorers(bundle, threads)
        )
        ensemble = cls(
            version=bundle.version,
            taxonomy=bundle.taxonomy(),
            sentiments=manifest.sentiments,
            features=load_features(bundle),
            members=tuple(
                remote_members.get(name) or load_member(name, bundle.files / "members", threads, provider, precision)
                for name in manifest.members
            ),
            intent_scorer=intent_scorer,
            sentiment_scorer=sentiment_scorer,
            calibration=Calibration.load(bundle.files / "calibration.json"),
            precision=precision,
            remote_services=remote_services,
        )
        return ensemble.with_fallbacks(
            manifest.reserves,
            bundle.files / FALLBACKS_FOLDER,
            candidates_per_member=manifest.candidates_per_member,
            threads=threads,
        )

    def with_fallbacks(
        self, reserves: Mapping[str, Sequence[str]], folder: ReadableFile, *, candidates_per_member: int, threads: int
    ) -> Ensemble:
        """Return this ensemble with the fallback ensembles in `folder`. `reserves` are their members, by name."""
        loaded = {}
        for name, members in reserves.items():
            intent_scorer, sentiment_scorer = open_meta_learner_scorers(
                folder / name, candidates_per_member, len(self.sentiments), threads
            )
            loaded[name] = replace(
                self,
                members=tuple(member for member in self.members if member.name in members),
                intent_scorer=intent_scorer,
                sentiment_scorer=sentiment_scorer,
                calibration=Calibration.load(folder / name / "calibration.json"),
                remote_services=NO_REMOTE_SERVICES,
            )
        return replace(self, reserves=loaded)

    @property
    def precisions(self) -> Mapping[str, Precision]:
        """Precision of each encoder in this process: int8, fp16 or fp32."""
        return {member.name: member.precision for member in self.members if isinstance(member, Encoder)}

    @property
    def models(self) -> tuple[str, ...]:
        """Valid models for `scores`: "ensemble", then the members in the order of the bundle."""
        return (ENSEMBLE, *self.member_names)

    @property
    def member_names(self) -> tuple[str, ...]:
        """Names of the members, in the order of the bundle."""
        return tuple(member.name for member in self.members)

    def is_up(self, model: str) -> bool:
        """Whether the processes that `scores` needs for `model` are available. Thread-safe."""
        meta_learner = self.remote_services.meta_learner
        if model == ENSEMBLE and meta_learner is not None and not meta_learner.is_up():
            return False
        return all(service.is_up() for service in self._services_of(model))

    def can_run_without(self, services: Sequence[str]) -> bool:
        """Whether a fallback ensemble exists for the time in which these services are unavailable."""
        unavailable = {
            member.name
            for service in self.remote_services.members
            for member in service.members
            if service.name in services
        }
        service_names = {service.name for service in self.remote_services.members}
        return service_names.issuperset(services) and self._fallback_without(unavailable) is not None

    def understand(self, texts: Sequence[str], encoder_executor: Executor | None = None) -> list[Understanding]:
        """Return the understanding of each masked text, in order. All texts are evaluated by the same members.

        If services are unavailable, the fallback ensemble that was trained without their members is used.
        `encoder_executor` is a thread for a free core, on which an encoder of this process runs in parallel with the
        other members.

        Raises:
            Overloaded: a service is unavailable and there is no fallback ensemble without it, or a service failed
                during the call.
        """
        batch = ModelBatch(texts, self.features.extract(texts), sampling=True)
        errors = self._send_to_services(batch)
        ensemble = self._fallback_for(errors) if errors else self
        builder = UnderstandingBuilder(
            self.taxonomy.labels, self.sentiments, ensemble.member_names, ensemble.calibration
        )
        return builder.build(ensemble._predict(batch, encoder_executor), tuple(errors))

    def scores(self, model: str, texts: Sequence[str]) -> Scores:
        """Return the scores of one member, or the calibrated probabilities of "ensemble".

        The intent probabilities of "ensemble" sum to at most 1 for each text. Fallback ensembles are not used, because
        scores cannot report skipped members.

        Raises:
            Overloaded: a required service is unavailable.
        """
        if model == ENSEMBLE:
            prediction = self.predict(texts, sampling=False)
            return Scores(prediction.intent.astype(np.float32), prediction.sentiment.astype(np.float32))
        member = next(member for member in self.members if member.name == model)
        batch = ModelBatch(texts, _NO_ROWS if model in ENCODER_MEMBERS else self.features.extract(texts))
        for service in self._services_of(model):
            service.send(batch, only=model)
        return member.scores(batch)

    def predict(self, texts: Sequence[str], *, sampling: bool = True) -> EnsemblePrediction:
        """Return the probabilities of the whole ensemble. `sampling` enables dropout sampling of encoders.

        Raises:
            Overloaded: a service is unavailable.
        """
        batch = ModelBatch(texts, self.features.extract(texts), sampling)
        for error in self._send_to_services(batch).values():
            raise error
        return self._predict(batch)

    def predict_with_fallback(self, name: str, members: Sequence[Scores], statistics: Floats) -> EnsemblePrediction:
        """Return the prediction of the fallback ensemble `name` from the scores of all `members`.

        Args:
            name: of the fallback ensemble, which uses only the scores of its own members.
            members: scores of all members, in order.
            statistics: text statistics (texts, statistics).
        """
        fallback = self.reserves[name]
        own = {member.name for member in fallback.members}
        return fallback._combine(
            tuple(scores for member, scores in zip(self.members, members, strict=True) if member.name in own),
            statistics,
        )

    def _services_of(self, model: str) -> list[MemberService]:
        """Return the services that `model` needs."""
        return [
            service
            for service in self.remote_services.members
            if model == ENSEMBLE or model in {member.name for member in service.members}
        ]

    def _send_to_services(self, batch: ModelBatch) -> dict[str, Overloaded]:
        """Send the batch to all services. Return the errors of unavailable services, by name."""
        errors = {}
        for service in self.remote_services.members:
            try:
                service.send(batch)
            except Overloaded as error:
                errors[service.name] = error
        return errors

    def _fallback_for(self, errors: Mapping[str, Overloaded]) -> Ensemble:
        """Return the fallback ensemble for the remaining members; raises one of `errors` without a fallback."""
        unavailable = {
            member.name
            for service in self.remote_services.members
            for member in service.members
            if service.name in errors
        }
        if (fallback := self._fallback_without(unavailable)) is None:
            raise next(iter(errors.values()))
        return fallback

    def _fallback_without(self, unavailable: Set[str]) -> Ensemble | None:
        """Return the fallback ensemble of all members except `unavailable`; None if the bundle lacks it."""
        available = tuple(name for name in self.member_names if name not in unavailable)
        return next((fallback for fallback in self.reserves.values() if fallback.member_names == available), None)

    def _predict(self, batch: ModelBatch, encoder_executor: Executor | None = None) -> EnsemblePrediction:
        """Predict for a batch that has been sent to the services."""
        scores = score_members(self.members, batch, encoder_executor)
        return self._combine(scores, batch.rows.dense[:, -len(STATISTICS) :])

    def _combine(self, scores: tuple[Scores, ...], statistics: Floats) -> EnsemblePrediction:
        """Apply the meta-learner and the calibration."""
        intents, sentiments = np.stack([of.intent for of in scores]), np.stack([of.sentiment for of in scores])
        if self.remote_services.meta_learner is not None:
            self.remote_services.meta_learner.send(intents, sentiments, statistics)
        intent = self.intent_scorer.probabilities(intents, statistics)
        sentiment = self.sentiment_scorer.probabilities(sentiments, statistics)
        return EnsemblePrediction(
            scores,
            self.calibration.intent_probabilities(intent, intents.mean(axis=0)),
            self.calibration.sentiment_probabilities(sentiment),
        )


def load_features(bundle: Bundle) -> FeatureExtractor:
    """Load the feature extractor of a bundle; raises `BundleError` if this code computes other features.

    The tagger of names is not compared here: a process that masks texts for the bundle does so
    (`frontdesk.masking.masker.check_masking_version`).
    """
    manifest = bundle.manifest
    if pattern_version(manifest.masking_version) != MASKING_VERSION:
        raise BundleError(
            f"Bundle {bundle.version} was trained on masking version {manifest.masking_version}; "
            f"this code masks by version {MASKING_VERSION}.",
            field="masking_version",
            hint="Train again with: frontdesk train",
        )
    features = FeatureExtractor.load(bundle.files / "features", MASKING_VERSION)
    if features.fingerprint() != manifest.feature_fingerprint:
        raise BundleError(
            f"Bundle {bundle.version} was trained with another definition of the features.",
            field="feature_fingerprint",
            hint="Train again with: frontdesk train",
        )
    return features


def load_meta_learner_scorers(bundle: Bundle, threads: int) -> tuple[MetaLearnerScorer, MetaLearnerScorer]:
    """Load the scorers of the meta-learner, for intent and sentiment."""
    manifest = bundle.manifest
    return open_meta_learner_scorers(
        bundle.files / "meta", manifest.candidates_per_member, len(manifest.sentiments), threads
    )


def open_meta_learner_scorers(
    folder: ReadableFile, candidates_per_member: int, sentiments: int, threads: int
) -> tuple[CandidateScorer, CandidateScorer]:
    """Open the scorers for intent and sentiment in `folder`. Every sentiment is a candidate."""
    return (
        CandidateScorer(folder / "intent.onnx", candidates_per_member, threads),
        CandidateScorer(folder / "sentiment.onnx", sentiments, threads),
    )


def load_member(
    name: str, folder: ReadableFile, threads: int, provider: ExecutionProvider = ON_CPU, precision: Precision = "int8"
) -> Member:
    """Load a base model from the graphs in `folder`; raises `BundleError` for an unknown name."""
    if name == LogisticRegression.name:
        return LogisticRegression(folder, threads)
    if name in ENCODER_MEMBERS:
        return Encoder(name, folder, threads, provider, precision)
    if name in TREE_MEMBERS:
        return TreeModel(name, folder, threads)
    raise BundleError(f"The bundle has a member '{name}', which this code cannot load.", field="members")
