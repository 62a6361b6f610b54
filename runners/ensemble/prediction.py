"""What the members and the meta-learner say of a batch in numbers, and the same in words, as the product tells it.

Arrays are read once a batch: to take them value by value costs more than the words themselves (measured: 0.038 ms a
text in batches of 32 against 0.015). Knows nothing of models or where they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from frontdesk.decision.conformal import set_sizes
from frontdesk.decision.uncertainty import ensemble_uncertainty, sampled_uncertainty
from frontdesk.scores import Scores
from frontdesk.types import Candidate, Intent, MemberOpinion, Sentiment, Uncertainty, Understanding
from runners.models.calibration import Calibration, Doubles

MAX_LISTED_CANDIDATES = 5
BY_HEAD_DROPOUT, BY_MEMBERS = "head_dropout", "member_disagreement"
"""How uncertainty was got: from encoders sampled under dropout, or without any from how the members differ. The latter
finds wrong answers worse, for weak members differ on everything: area under the ROC curve 0.83 against 0.92 by the
score and 0.51 against 0.87 by its epistemic part (starter corpus, 493 held-out messages, 28 of them wrong)."""


@dataclass(frozen=True, slots=True)
class EnsemblePrediction:
    """The ensemble's numbers for a batch, before they become `Understanding`: what evaluation and golden rows compare.

    `members` holds the scores of each base model that took part; `intent` is (texts, intents), rows sum to at most 1;
    `sentiment` is (texts, 3).
    """

    members: tuple[Scores, ...]
    intent: Doubles
    sentiment: Doubles


@dataclass(frozen=True, slots=True)
class UnderstandingBuilder:
    """What turns one ensemble's judgements into words.

    `intents`, `sentiments` and `members` are the names of a judgement's columns and members, in order.
    """

    intents: tuple[str, ...]
    sentiments: tuple[str, ...]
    members: tuple[str, ...]
    calibration: Calibration

    def build(self, prediction: EnsemblePrediction, skipped: tuple[str, ...] = ()) -> list[Understanding]:
        """Of each text; `skipped` names what took no part in the judgement."""
        rows = zip(
            self._intents(prediction.intent),
            self._sentiments(prediction.sentiment),
            uncertainties(prediction.members),
            self._opinions(prediction.members),
            strict=True,
        )
        return [
            Understanding(
                intent=intent,
                sentiment=sentiment,
                uncertainty=uncertainty,
                members=opinions,
                plausible=plausible,
                automation_threshold=self.calibration.threshold_of(intent.label),
                skipped=skipped,
            )
            for (intent, plausible), sentiment, uncertainty, opinions in rows
        ]

    def _intents(self, probabilities: Doubles) -> list[tuple[Intent, tuple[Candidate, ...]]]:
        """Of each text, of (texts, intents), its intent and the plausible ones."""
        order = np.argsort(-probabilities, axis=1, kind="stable")
        ranked = probabilities[np.arange(len(order))[:, None], order]
        listed = np.maximum((ranked[:, :MAX_LISTED_CANDIDATES] > 0).sum(axis=1), 1)
        plausible = set_sizes(ranked, self.calibration.conformal_threshold)
        out_of_scope = np.maximum(0.0, 1.0 - probabilities.sum(axis=1))
        max_columns = max(MAX_LISTED_CANDIDATES, int(plausible.max()))
        arrays = order[:, :max_columns], ranked[:, :max_columns], listed, plausible, out_of_scope
        return [self._intent(*row) for row in zip(*(array.tolist() for array in arrays), strict=True)]

    def _intent(
        self, order: list[int], ranked: list[float], listed: int, plausible: int, out_of_scope: float
    ) -> tuple[Intent, tuple[Candidate, ...]]:
        """Of one text, the columns and their probabilities in descending order, and how many are wanted of them."""
        count = max(listed, plausible)
        candidates = tuple(
            Candidate(self.intents[column], round(probability, 4))
            for column, probability in zip(order[:count], ranked[:count], strict=True)
        )
        best = candidates[0]
        intent = Intent(
            label=best.label,
            confidence=best.probability,
            candidates=candidates[:listed],
            in_scope=out_of_scope <= self.calibration.out_of_scope_threshold,
            out_of_scope_probability=round(out_of_scope, 4),
        )
        return intent, candidates[:plausible]

    def _sentiments(self, probabilities: Doubles) -> list[Sentiment]:
        """Of each text, of (texts, 3)."""
        sentiments = []
        for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True):
            scores = {label: round(value, 4) for label, value in zip(self.sentiments, row, strict=True)}
            label = self.sentiments[best]
            sentiments.append(Sentiment(label, scores[label], scores))
        return sentiments

    def _opinions(self, members: Sequence[Scores]) -> list[tuple[MemberOpinion, ...]]:
        """Of each text, what every member alone would have said."""
        opinions = []
        for name, scores in zip(self.members, members, strict=True):
            best, confidence = scores.intent.argmax(axis=1).tolist(), scores.intent.max(axis=1).tolist()
            opinions.append(
                [
                    MemberOpinion(name, self.intents[column], round(value, 4))
                    for column, value in zip(best, confidence, strict=True)
                ]
            )
        return list(zip(*opinions, strict=True))


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
        Uncertainty(round(score, 4), round(epistemic, 4), round(aleatoric, 4), method)
        for score, epistemic, aleatoric in zip(*(part.tolist() for part in parts), strict=True)
    ]
