"""What an ensemble makes of its members' numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from frontdesk.scores import Sampled, Scores
from model_store.bundle import Bundle
from runners.ensemble import Ensemble, uncertainties

SURE, TORN = np.array([[1.0, 0.0]], np.float32), np.array([[0.5, 0.5]], np.float32)
SENTIMENT = np.full((1, 3), 1 / 3, np.float32)


def sampled(mean: np.ndarray, entropy: float) -> Scores:
    return Scores(SURE, SENTIMENT, Sampled(mean, np.array([entropy], np.float32)))


def test_members_without_dropout_have_no_say_where_an_encoder_was_sampled() -> None:
    (uncertainty,) = uncertainties([Scores(TORN, SENTIMENT), sampled(SURE, 0.0), sampled(SURE, 0.0)])

    assert (uncertainty.method, uncertainty.score) == ("head_dropout", 0.0)


def test_samples_that_contradict_each_other_are_epistemic() -> None:
    (uncertainty,) = uncertainties([sampled(TORN, 0.0)])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == (1.0, 1.0, 0.0)


def test_encoders_that_are_sure_of_different_intents_are_epistemic() -> None:
    (uncertainty,) = uncertainties([sampled(SURE, 0.0), sampled(SURE[:, ::-1], 0.0)])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == (1.0, 1.0, 0.0)


def test_samples_that_all_waver_say_that_the_message_is_unclear() -> None:
    (uncertainty,) = uncertainties([sampled(TORN, float(np.log(2)))])

    assert (uncertainty.score, uncertainty.epistemic, uncertainty.aleatoric) == pytest.approx((1.0, 0.0, 1.0))


def test_where_no_encoder_was_sampled_the_members_are_compared() -> None:
    (uncertainty,) = uncertainties([Scores(SURE, SENTIMENT), Scores(SURE[:, ::-1], SENTIMENT)])

    assert (uncertainty.method, uncertainty.epistemic) == ("member_disagreement", 1.0)


def test_a_text_is_held_to_the_threshold_of_its_own_intent(tiny_bundle: Bundle) -> None:
    ensemble = Ensemble.load(tiny_bundle)
    texts = ["where is my parcel", "i forgot my password", "open an account for me", "cancel my order please"]
    labels = {found.intent.label for found in ensemble.understand(texts)}
    own = {min(labels): 0.123}
    held = replace(ensemble, calibration=replace(ensemble.calibration, intent_thresholds=own, automation_threshold=0.7))

    thresholds = {found.intent.label: found.automation_threshold for found in held.understand(texts)}

    assert thresholds == {label: own.get(label, 0.7) for label in labels}
    assert len(thresholds) > 1


def test_plausible_intents_come_with_their_probabilities_the_best_first(tiny_bundle: Bundle) -> None:
    ensemble = Ensemble.load(tiny_bundle)
    wide = replace(ensemble, calibration=replace(ensemble.calibration, conformal_threshold=0.0))

    (found,) = wide.understand(["where is my parcel"])

    assert {candidate.label for candidate in found.plausible} == set(ensemble.taxonomy.labels)
    assert found.plausible[: len(found.intent.candidates)] == found.intent.candidates
