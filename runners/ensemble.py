"""One bundle, loaded: the second map of the product. From masked texts to what the ensemble understands.

    features -> base models -> meta-learner -> calibration -> understanding

Synchronous and without state between calls; the batcher decides who is asked together. A text's result does not
depend on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frontdesk.decision.conformal import plausible
from frontdesk.decision.uncertainty import ensemble_uncertainty, sampled_uncertainty
from frontdesk.errors import BundleError
from frontdesk.features.row import FeatureRow
from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats, Scores
from frontdesk.security.masking import MASKING_VERSION
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import Candidate, Intent, MemberOpinion, Sentiment, Uncertainty, Understanding
from model_store.bundle import Bundle
from runners.elsewhere import NOTHING, Elsewhere, Scorer
from runners.models.calibration import Calibration, Doubles
from runners.models.encoder import ENCODER_MEMBERS, Encoder, Precision, default_precision
from runners.models.linear import LogisticRegression
from runners.models.member import Batch, Member
from runners.models.meta_learner import CandidateScorer
from runners.models.provider import ON_CPU, Provider
from runners.models.trees import TREE_MEMBERS, Trees

SHOWN_CANDIDATES = 5
BY_HEAD_DROPOUT, BY_MEMBERS = "head_dropout", "member_disagreement"
"""How uncertainty was got: from encoders sampled under dropout, or without any from how the members differ. The latter
finds wrong answers worse, for weak members differ on everything: area under the ROC curve 0.83 against 0.92 by the
score and 0.51 against 0.87 by its epistemic part (starter corpus, 493 held-out messages, 28 of them wrong)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The ensemble's numbers for a batch, before they become `Understanding`: what evaluation and golden rows compare.

    `members` holds each base model's scores; `intent` is (texts, intents), rows sum to at most 1; `sentiment` is
    (texts, 3).
    """

    members: tuple[Scores, ...]
    intent: Doubles
    sentiment: Doubles


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A loaded bundle. `elsewhere` owns those of `members` and scorers that are not loaded in this process."""

    version: str
    taxonomy: Taxonomy
    sentiments: tuple[str, ...]
    features: FeatureRow
    members: tuple[Member, ...]
    intent_scorer: Scorer
    sentiment_scorer: Scorer
    calibration: Calibration
    precision: Precision = "int8"
    elsewhere: Elsewhere = NOTHING

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        threads: int = 1,
        *,
        provider: Provider = ON_CPU,
        precision: Precision | None = None,
        elsewhere: Elsewhere = NOTHING,
    ) -> Ensemble:
        """Load every part of a verified bundle that is not `elsewhere`.

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
        remote = {member.name: member for service in elsewhere.members for member in service.members}
        intent_scorer, sentiment_scorer = (
            elsewhere.meta_learner.scorers if elsewhere.meta_learner else load_scorers(bundle, threads)
        )
        return cls(
            version=bundle.version,
            taxonomy=bundle.taxonomy(),
            sentiments=manifest.sentiments,
            features=load_features(bundle),
            members=tuple(
                remote.get(name) or load_member(name, bundle.path / "members", threads, provider, precision)
                for name in manifest.members
            ),
            intent_scorer=intent_scorer,
            sentiment_scorer=sentiment_scorer,
            calibration=Calibration.load(bundle.path / "calibration.json"),
            precision=precision,
            elsewhere=elsewhere,
        )

    @property
    def precisions(self) -> Mapping[str, Precision]:
        """Of each encoder in this process, which of its graphs runs: int8, fp16 or fp32."""
        return {member.name: member.precision for member in self.members if isinstance(member, Encoder)}

    def understand(self, texts: Sequence[str]) -> list[Understanding]:
        """What the ensemble makes of each masked text, in order."""
        judgement = self.judge(texts)
        members = np.stack([scores.intent for scores in judgement.members])
        intents = [self._intent(probabilities) for probabilities in judgement.intent]
        return [
            Understanding(
                intent=intent,
                sentiment=self._sentiment(judgement.sentiment[row]),
                uncertainty=uncertainty,
                members=self._opinions(members[:, row]),
                plausible=self._candidates(
                    judgement.intent[row], plausible(judgement.intent[row], self.calibration.conformal_threshold)
                ),
                automation_threshold=self.calibration.threshold_of(intent.label),
            )
            for row, (intent, uncertainty) in enumerate(zip(intents, uncertainties(judgement.members), strict=True))
        ]

    def judge(self, texts: Sequence[str], *, sampling: bool = True) -> Judgement:
        """The ensemble's probabilities for masked texts; without `sampling` no encoder is sampled under dropout."""
        rows = self.features.rows(texts)
        batch = Batch(texts, rows, sampling)
        for service in self.elsewhere.members:  # at work while the members in this process run
            service.send(batch)
        scores = tuple(member.scores(batch) for member in self.members)
        intents, sentiments = np.stack([of.intent for of in scores]), np.stack([of.sentiment for of in scores])
        statistics = rows.dense[:, -len(STATISTICS) :]
        if self.elsewhere.meta_learner is not None:
            self.elsewhere.meta_learner.send(intents, sentiments, statistics)
        intent = self.intent_scorer.probabilities(intents, statistics)
        sentiment = self.sentiment_scorer.probabilities(sentiments, statistics)
        return Judgement(
            scores,
            self.calibration.intent_probabilities(intent, intents.mean(axis=0)),
            self.calibration.sentiment_probabilities(sentiment),
        )

    def _intent(self, probabilities: NDArray[np.float64]) -> Intent:
        order = np.argsort(-probabilities, kind="stable")[:SHOWN_CANDIDATES]
        out_of_scope = max(0.0, 1.0 - float(probabilities.sum()))
        (best,) = self._candidates(probabilities, order[:1])
        return Intent(
            label=best.label,
            confidence=best.probability,
            candidates=self._candidates(probabilities, [index for index in order if probabilities[index] > 0]),
            in_scope=out_of_scope <= self.calibration.out_of_scope_threshold,
            out_of_scope_probability=round(out_of_scope, 4),
        )

    def _candidates(self, probabilities: NDArray[np.float64], columns: Iterable[int]) -> tuple[Candidate, ...]:
        """`probabilities` is (intents,)."""
        labels = self.taxonomy.labels
        return tuple(Candidate(labels[column], round(float(probabilities[column]), 4)) for column in columns)

    def _sentiment(self, probabilities: NDArray[np.float64]) -> Sentiment:
        best = int(np.argmax(probabilities))
        return Sentiment(
            label=self.sentiments[best],
            confidence=round(float(probabilities[best]), 4),
            scores={label: round(float(value), 4) for label, value in zip(self.sentiments, probabilities, strict=True)},
        )

    def _opinions(self, members: Floats) -> tuple[MemberOpinion, ...]:
        """`members` is (members, intents) for one text."""
        best = members.argmax(axis=1)
        return tuple(
            MemberOpinion(member.name, self.taxonomy.labels[label], round(float(row[label]), 4))
            for member, row, label in zip(self.members, members, best, strict=True)
        )


def uncertainties(members: Sequence[Scores]) -> list[Uncertainty]:
    """Of each text, from the members that were sampled under dropout; where none was, from all members' differences."""
    sampled = [scores.sampled for scores in members if scores.sampled is not None]
    if sampled:
        method = BY_HEAD_DROPOUT
        parts = sampled_uncertainty([of.mean for of in sampled], [of.entropy for of in sampled])
    else:
        method = BY_MEMBERS
        parts = ensemble_uncertainty([scores.intent for scores in members])
    return [
        Uncertainty(round(float(score), 4), round(float(epistemic), 4), round(float(aleatoric), 4), method)
        for score, epistemic, aleatoric in zip(*parts, strict=True)
    ]


def load_features(bundle: Bundle) -> FeatureRow:
    """The bundle's features; raises `BundleError` when this code would make other ones, naming the field."""
    manifest = bundle.manifest
    if manifest.masking_version != MASKING_VERSION:
        raise BundleError(
            f"Bundle {bundle.version} was trained on masking version {manifest.masking_version}; "
            f"this code masks by version {MASKING_VERSION}.",
            field="masking_version",
            hint="Train again with: frontdesk train",
        )
    features = FeatureRow.load(bundle.path / "features", MASKING_VERSION)
    if features.fingerprint() != manifest.feature_fingerprint:
        raise BundleError(
            f"Bundle {bundle.version} was trained with another definition of the features.",
            field="feature_fingerprint",
            hint="Train again with: frontdesk train",
        )
    return features


def load_scorers(bundle: Bundle, threads: int) -> tuple[Scorer, Scorer]:
    """The meta-learner's scorers of intent and sentiment."""
    meta, manifest = bundle.path / "meta", bundle.manifest
    return (
        CandidateScorer(meta / "intent.onnx", manifest.candidates_per_member, threads),
        CandidateScorer(meta / "sentiment.onnx", len(manifest.sentiments), threads),
    )


def load_member(
    name: str, folder: Path, threads: int, provider: Provider = ON_CPU, precision: Precision = "int8"
) -> Member:
    """The base model `name` from the graphs in `folder`; raises `BundleError` for a name this code does not know."""
    if name == LogisticRegression.name:
        return LogisticRegression(folder, threads)
    if name in ENCODER_MEMBERS:
        return Encoder(name, folder, threads, provider, precision)
    if name in TREE_MEMBERS:
        return Trees(name, folder, threads)
    raise BundleError(f"The bundle has a member '{name}', which this code cannot load.", field="members")
