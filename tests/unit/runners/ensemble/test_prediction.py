"""Conversion of predictions to `Understanding` values."""

from __future__ import annotations

import numpy as np
import pytest

from frontdesk.scores import DropoutStatistics, Scores
from frontdesk.types import Candidate, MemberOpinion
from runners.ensemble.prediction import MAX_LISTED_CANDIDATES, EnsemblePrediction, UnderstandingBuilder, uncertainties
from tests.support.reports import calibration, names

SURE, TORN = np.array([[1.0, 0.0]], np.float32), np.array([[0.5, 0.5]], np.float32)
SENTIMENT = np.full((1, 3), 1 / 3, np.float32)


def sampled(mean: np.ndarray, entropy: float) -> Scores:
    return Scores(SURE, SENTIMENT, DropoutStatistics(mean, np.array([entropy], np.float32)))


def test_members_without_dropout_are_ignored_if_an_encoder_was_sampled() -> None:
    (uncertainty,) = uncertainties([Scores(TORN, SENTIMENT), sampled(SURE, 0.0), sampled(SURE, 0.0)])

    assert (uncertainty.method, uncertainty.score) == ("head_dropout", 0.0)


def test_samples_that_contradict_each_other_are_epistemic() -> None:
    (uncertainty,) = uncertainties([sampled(TORN, 0.0)])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == (1.0, 1.0, 0.0)


def test_encoders_that_are_sure_of_different_intents_are_epistemic() -> None:
    (uncertainty,) = uncertainties([sampled(SURE, 0.0), sampled(SURE[:, ::-1], 0.0)])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == (1.0, 1.0, 0.0)


def test_uncertain_samples_are_aleatoric() -> None:
    (uncertainty,) = uncertainties([sampled(TORN, float(np.log(2)))])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == pytest.approx((1.0, 0.0, 1.0))


def test_if_no_encoder_was_sampled_the_members_are_compared() -> None:
    (uncertainty,) = uncertainties([Scores(SURE, SENTIMENT), Scores(SURE[:, ::-1], SENTIMENT)])

    assert (uncertainty.method, uncertainty.epistemic) == ("member_disagreement", 1.0)


def words(intents: int, members: tuple[str, ...] = ("a", "b")) -> UnderstandingBuilder:
    return UnderstandingBuilder(names(intents), ("negative", "neutral", "positive"), members, calibration())


def judgement(intent: list[list[float]], members: tuple[list[list[float]], ...] | None = None) -> EnsemblePrediction:
    """A prediction whose members agree by default; all sentiments are equal."""
    rows = np.array(intent)
    flat = np.full((len(rows), 3), 1 / 3)
    member_probabilities = [np.array(of, np.float32) for of in members or (intent, intent)]
    return EnsemblePrediction(tuple(Scores(of, flat.astype(np.float32)) for of in member_probabilities), rows, flat)


def test_every_text_of_a_batch_has_its_own_ranking() -> None:
    first, second = words(3).build(judgement([[0.1, 0.7, 0.15], [0.05, 0.0, 0.9]]))

    assert [candidate.label for candidate in first.intent.candidates] == ["intent_1", "intent_2", "intent_0"]
    assert second.intent.candidates == (Candidate("intent_2", 0.9), Candidate("intent_0", 0.05))
    assert (first.intent.confidence, second.intent.confidence) == (0.7, 0.9)


def test_labels_that_tie_keep_the_order_of_the_columns() -> None:
    (result,) = words(4).build(judgement([[0.25, 0.25, 0.25, 0.25]]))

    assert [candidate.label for candidate in result.plausible] == list(names(4))


def test_there_may_be_more_or_fewer_plausible_intents_than_candidates() -> None:
    wide, narrow = words(8).build(judgement([[0.125] * 8, [0.86, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02]]))

    assert (len(wide.plausible), len(wide.intent.candidates)) == (8, MAX_LISTED_CANDIDATES)
    assert (len(narrow.plausible), len(narrow.intent.candidates)) == (1, MAX_LISTED_CANDIDATES)


def test_the_rest_of_the_probabilities_is_out_of_scope() -> None:
    inside, outside = words(2).build(judgement([[0.5, 0.2], [0.3, 0.2]]))

    assert (inside.intent.in_scope, inside.intent.out_of_scope_probability) == (True, 0.3)
    assert (outside.intent.in_scope, outside.intent.out_of_scope_probability) == (False, 0.5)


def test_each_member_is_listed_with_its_best_label() -> None:
    (result,) = words(2).build(judgement([[0.6, 0.4]], ([[0.75, 0.25]], [[0.25, 0.75]])))

    assert result.members == (MemberOpinion("a", "intent_0", 0.75), MemberOpinion("b", "intent_1", 0.75))


def test_skipped_services_are_reported_for_every_text() -> None:
    result = words(2).build(judgement([[0.6, 0.4], [0.5, 0.5]]), ("encoders",))

    assert [text.skipped for text in result] == [("encoders",), ("encoders",)]
