"""One bundle, loaded: the second map of the product. From masked texts to what the ensemble understands.

    features -> base models -> meta-learner -> calibration -> understanding

Synchronous and without state between calls; the batcher decides who is asked together. A text's result does not
depend on its neighbours in the batch.
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
from frontdesk.scores import Floats, Scores
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import Understanding
from frontdesk.verified_files import ReadableFile
from model_store.bundle import Bundle
from runners.ensemble.parallel_members import score_members
from runners.ensemble.prediction import EnsemblePrediction, UnderstandingBuilder
from runners.ensemble.remote_ports import NO_REMOTE_SERVICES, MemberService, RemoteServices, Scorer
from runners.models.base_model import Batch, Member
from runners.models.calibration import Calibration
from runners.models.execution_provider import ON_CPU, Provider
from runners.models.linear import LogisticRegression
from runners.models.meta_learner import CandidateScorer
from runners.models.onnx_encoder import ENCODER_MEMBERS, Encoder, Precision, default_precision
from runners.models.trees import TREE_MEMBERS, Trees

ENSEMBLE = "ensemble"
FALLBACKS_FOLDER = "reserves"
_NO_ROWS = FeatureBatch((), np.empty((0, 0), np.float32))  # encoders read texts alone


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A loaded bundle. `remote_services` owns those of `members` and scorers that are not loaded in this process.

    `reserves` are smaller ensembles of the same members, by name: their scorers, always loaded in this process, and
    their calibration were trained without those that may be away.
    """

    version: str
    taxonomy: Taxonomy
    sentiments: tuple[str, ...]
    features: FeatureExtractor
    members: tuple[Member, ...]
    intent_scorer: Scorer
    sentiment_scorer: Scorer
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
        provider: Provider = ON_CPU,
        precision: Precision | None = None,
        remote_services: RemoteServices = NO_REMOTE_SERVICES,
    ) -> Ensemble:
        """Load every part of a verified bundle that is not `remote_services`.

        Args:
            bundle: to be served.
            threads: of each session.
            provider: where encoders run.
            precision: of the encoders' graphs; None for the provider's own.
            elsewhere: what other processes hold.

        Raises:
            BundleError: when this code would make other features than the bundle was trained with, naming the field.
        """
        manifest = bundle.manifest
        precision = precision or default_precision(provider)
        remote_members = {member.name: member for service in remote_services.members for member in service.members}
        intent_scorer, sentiment_scorer = (
            remote_services.meta_learner.scorers if remote_services.meta_learner else load_scorers(bundle, threads)
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
        """This ensemble with the `reserves` in `folder`, by name: the members that each judges by."""
        loaded = {}
        for name, members in reserves.items():
            intent_scorer, sentiment_scorer = open_scorers(
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
        """Of each encoder in this process, which of its graphs runs: int8, fp16 or fp32."""
        return {member.name: member.precision for member in self.members if isinstance(member, Encoder)}

    @property
    def models(self) -> tuple[str, ...]:
        """What `scores` knows: "ensemble", then the members in the order of the bundle."""
        return (ENSEMBLE, *self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the members, in the order of the bundle."""
        return tuple(member.name for member in self.members)

    def is_up(self, model: str) -> bool:
        """Are the processes there that `scores` of `model` needs? May be asked from any thread."""
        meta_learner = self.remote_services.meta_learner
        if model == ENSEMBLE and meta_learner is not None and not meta_learner.is_up():
            return False
        return all(service.is_up() for service in self._services_of(model))

    def can_run_without(self, services: Sequence[str]) -> bool:
        """Would messages be understood without these services, by a reserve?"""
        unavailable = {
            member.name
            for service in self.remote_services.members
            for member in service.members
            if service.name in services
        }
        service_names = {service.name for service in self.remote_services.members}
        return service_names.issuperset(services) and self._fallback_without(unavailable) is not None

    def understand(self, texts: Sequence[str], encoder_executor: Executor | None = None) -> list[Understanding]:
        """What the ensemble makes of each masked text, in order; all are judged by the same members.

        Where services are away, the rest goes on with the reserve that was trained without their members. `encoder_executor` is
        a thread on a core that is free: an encoder of this process runs there beside the other members.

        Raises:
            Overloaded: a service is away without which there is no reserve, or has gone away meanwhile.
        """
        batch = Batch(texts, self.features.extract(texts), sampling=True)
        errors = self._start_services(batch)
        ensemble = self._fallback_for(errors) if errors else self
        builder = UnderstandingBuilder(self.taxonomy.labels, self.sentiments, ensemble.names, ensemble.calibration)
        return builder.build(ensemble._predict(batch, encoder_executor), tuple(errors))

    def scores(self, model: str, texts: Sequence[str]) -> Scores:
        """What one member alone says, or "ensemble", whose calibrated probabilities sum to at most 1 for an intent.

        A row of numbers cannot say what was skipped: this does not go on without what is away.

        Raises:
            Overloaded: a service that it needs is away.
        """
        if model == ENSEMBLE:
            prediction = self.predict(texts, sampling=False)
            return Scores(prediction.intent.astype(np.float32), prediction.sentiment.astype(np.float32))
        member = next(member for member in self.members if member.name == model)
        batch = Batch(texts, _NO_ROWS if model in ENCODER_MEMBERS else self.features.extract(texts))
        for service in self._services_of(model):
            service.send(batch, only=model)
        return member.scores(batch)

    def predict(self, texts: Sequence[str], *, sampling: bool = True) -> EnsemblePrediction:
        """The probabilities of all members together; without `sampling` no encoder is sampled under dropout.

        Raises:
            Overloaded: a service is away.
        """
        batch = Batch(texts, self.features.extract(texts), sampling)
        for error in self._start_services(batch).values():
            raise error
        return self._predict(batch)

    def predict_with_fallback(self, name: str, members: Sequence[Scores], statistics: Floats) -> EnsemblePrediction:
        """What the reserve `name` makes of the scores of all `members`: it reads those of its own.

        Args:
            statistics: (texts, statistics) of the texts.
        """
        fallback = self.reserves[name]
        own = {member.name for member in fallback.members}
        return fallback._combine(
            tuple(scores for member, scores in zip(self.members, members, strict=True) if member.name in own),
            statistics,
        )

    def _services_of(self, model: str) -> list[MemberService]:
        """The services that `model` needs."""
        return [
            service
            for service in self.remote_services.members
            if model == ENSEMBLE or model in {member.name for member in service.members}
        ]

    def _start_services(self, batch: Batch) -> dict[str, Overloaded]:
        """Put the services to work, beside the members in this process; gives the refusals of those that are away."""
        errors = {}
        for service in self.remote_services.members:
            try:
                service.send(batch)
            except Overloaded as error:
                errors[service.name] = error
        return errors

    def _fallback_for(self, errors: Mapping[str, Overloaded]) -> Ensemble:
        """The reserve of the members that are left; raises a refusal where no reserve was trained for them."""
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
        """The reserve of all members but those that are gone; None where none was trained."""
        available = tuple(name for name in self.names if name not in unavailable)
        return next((fallback for fallback in self.reserves.values() if fallback.names == available), None)

    def _predict(self, batch: Batch, encoder_executor: Executor | None = None) -> EnsemblePrediction:
        """Of a batch that the services have been sent."""
        scores = score_members(self.members, batch, encoder_executor)
        return self._combine(scores, batch.rows.dense[:, -len(STATISTICS) :])

    def _combine(self, scores: tuple[Scores, ...], statistics: Floats) -> EnsemblePrediction:
        """Meta-learner and calibration."""
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
    """The bundle's features; raises `BundleError` when this code would make other ones, naming the field."""
    manifest = bundle.manifest
    if manifest.masking_version != MASKING_VERSION:
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


def load_scorers(bundle: Bundle, threads: int) -> tuple[Scorer, Scorer]:
    """The meta-learner's scorers of intent and sentiment."""
    manifest = bundle.manifest
    return open_scorers(bundle.files / "meta", manifest.candidates_per_member, len(manifest.sentiments), threads)


def open_scorers(
    folder: ReadableFile, candidates_per_member: int, sentiments: int, threads: int
) -> tuple[CandidateScorer, CandidateScorer]:
    """The scorers of intent and sentiment in `folder`; every sentiment is a candidate."""
    return (
        CandidateScorer(folder / "intent.onnx", candidates_per_member, threads),
        CandidateScorer(folder / "sentiment.onnx", sentiments, threads),
    )


def load_member(
    name: str, folder: ReadableFile, threads: int, provider: Provider = ON_CPU, precision: Precision = "int8"
) -> Member:
    """The base model `name` from the graphs in `folder`; raises `BundleError` for a name this code does not know."""
    if name == LogisticRegression.name:
        return LogisticRegression(folder, threads)
    if name in ENCODER_MEMBERS:
        return Encoder(name, folder, threads, provider, precision)
    if name in TREE_MEMBERS:
        return Trees(name, folder, threads)
    raise BundleError(f"The bundle has a member '{name}', which this code cannot load.", field="members")
