"""Predictions of an ensemble, with all members and while services are unavailable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from frontdesk.errors import Overloaded
from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores
from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.remote_ports import RemoteServices
from runners.models.base_model import ModelBatch

TREES_AND_LINEAR = ("logistic_regression", "random_forest", "xgboost")


def test_a_text_has_the_threshold_of_its_own_intent(tiny_bundle: Bundle) -> None:
    ensemble = Ensemble.load(tiny_bundle)
    texts = ["where is my parcel", "i forgot my password", "open an account for me", "cancel my order please"]
    labels = {result.intent.label for result in ensemble.understand(texts)}
    own = {min(labels): 0.123}
    held = replace(ensemble, calibration=replace(ensemble.calibration, intent_thresholds=own, automation_threshold=0.7))

    thresholds = {result.intent.label: result.automation_threshold for result in held.understand(texts)}

    assert thresholds == {label: own.get(label, 0.7) for label in labels}
    assert len(thresholds) > 1


def test_plausible_intents_come_with_their_probabilities_the_best_first(tiny_bundle: Bundle) -> None:
    ensemble = Ensemble.load(tiny_bundle)
    wide = replace(ensemble, calibration=replace(ensemble.calibration, conformal_threshold=0.0))

    (result,) = wide.understand(["where is my parcel"])

    assert {candidate.label for candidate in result.plausible} == set(ensemble.taxonomy.labels)
    assert result.plausible[: len(result.intent.candidates)] == result.intent.candidates


class Service:
    """A process with some members of an ensemble, or an unavailable one. Records the calls."""

    def __init__(self, ensemble: Ensemble, name: str, *members: str, away: bool = False) -> None:
        self.name = name
        self.members = tuple(member for member in ensemble.members if member.name in members)
        self.away = away
        self.sent: list[str | None] = []

    def is_up(self) -> bool:
        return not self.away

    def send(self, batch: ModelBatch, only: str | None = None) -> None:
        if self.away:
            raise Overloaded(f"{self.name} is not there", retry_after_s=5.0)
        self.sent.append(only)


@pytest.fixture(scope="module")
def whole(encoder_bundle: Bundle) -> Ensemble:
    return Ensemble.load(encoder_bundle)


def spread(whole: Ensemble, *away: str) -> Ensemble:
    """As in placement `distributed`, but without a separate meta-learner."""
    held = {"distilbert": ("distilbert",), "roberta": ("roberta",), "trees": TREES_AND_LINEAR}
    services = (Service(whole, name, *members, away=name in away) for name, members in held.items())
    return replace(whole, remote_services=RemoteServices(tuple(services)))


TEXTS = ["where is my parcel", "i forgot my password", "your app deleted my account and i am furious"]


@pytest.mark.parametrize(
    ("away", "reserve", "method"),
    [
        (("distilbert",), "without_distilbert", "head_dropout"),
        (("roberta",), "without_roberta", "head_dropout"),
        (("distilbert", "roberta"), "without_encoders", "member_disagreement"),
    ],
)
def test_the_fallback_ensemble_answers_without_the_unavailable_members(
    whole: Ensemble, away: tuple[str, ...], reserve: str, method: str
) -> None:
    answers = spread(whole, *away).understand(TEXTS)

    alone = whole.reserves[reserve].understand(TEXTS)
    assert answers == [replace(answer, skipped=away) for answer in alone]
    left = tuple(name for name in whole.member_names if name not in away)
    assert {tuple(opinion.name for opinion in answer.members) for answer in answers} == {left}
    assert {answer.uncertainty.method for answer in answers} == {method}


def test_a_service_of_both_encoders_is_skipped_by_its_own_name(whole: Ensemble) -> None:
    dedicated = replace(
        whole, remote_services=RemoteServices((Service(whole, "encoders", "distilbert", "roberta", away=True),))
    )
    assert {answer.skipped for answer in dedicated.understand(TEXTS)} == {("encoders",)}


def test_with_all_services_nothing_is_skipped(whole: Ensemble) -> None:
    assert spread(whole).understand(TEXTS) == whole.understand(TEXTS)


def test_a_fallback_ensemble_has_its_own_thresholds(whole: Ensemble) -> None:
    result = {reserve.calibration.out_of_scope_threshold for reserve in (whole, *whole.reserves.values())}
    assert len(result) == 1 + len(whole.reserves)


@pytest.mark.parametrize("away", [("trees",), ("trees", "roberta")])
def test_without_the_trees_there_is_no_answer(whole: Ensemble, away: tuple[str, ...]) -> None:
    with pytest.raises(Overloaded, match=r"is not there"):
        spread(whole, *away).understand(TEXTS)


def test_an_old_bundle_without_fallback_ensembles_needs_all_its_members(whole: Ensemble) -> None:
    with pytest.raises(Overloaded, match="distilbert is not there"):
        replace(spread(whole, "distilbert"), reserves={}).understand(TEXTS)


def test_evaluation_never_uses_a_fallback_ensemble(whole: Ensemble) -> None:
    with pytest.raises(Overloaded):
        spread(whole, "distilbert").predict(TEXTS)


def test_a_service_that_fails_during_a_batch_fails_the_batch(whole: Ensemble) -> None:
    class Dying:
        name = "roberta"

        def scores(self, _: ModelBatch) -> Scores:
            raise Overloaded("gone", retry_after_s=5.0)

    members = tuple(Dying() if member.name == "roberta" else member for member in whole.members)
    with pytest.raises(Overloaded, match="gone"):
        replace(whole, members=members).understand(TEXTS)


def test_the_models_are_the_ensemble_and_its_members(whole: Ensemble) -> None:
    assert whole.models == ("ensemble", *TREES_AND_LINEAR, "distilbert", "roberta")


def test_scores_of_the_ensemble_are_its_calibrated_probabilities(whole: Ensemble) -> None:
    scores, judgement = whole.scores("ensemble", TEXTS), whole.predict(TEXTS)

    assert scores.intent.dtype == scores.sentiment.dtype == np.float32
    np.testing.assert_allclose(scores.intent, judgement.intent, atol=1e-6)
    np.testing.assert_allclose(scores.sentiment, judgement.sentiment, atol=1e-6)
    assert (scores.intent.sum(axis=1) <= 1 + 1e-6).all()


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost", "roberta"])
def test_scores_of_a_member_are_its_scores_in_the_ensemble(whole: Ensemble, name: str) -> None:
    judged = whole.predict(TEXTS).members[whole.member_names.index(name)]
    scores = whole.scores(name, TEXTS)

    np.testing.assert_allclose(scores.intent, judged.intent, atol=1e-6)
    np.testing.assert_allclose(scores.sentiment, judged.sentiment, atol=1e-6)


def test_one_member_is_requested_only_from_its_own_service(whole: Ensemble) -> None:
    distributed = spread(whole, "trees")
    distributed.scores("roberta", TEXTS)

    assert [service.sent for service in distributed.remote_services.members] == [[], ["roberta"], []]


def test_an_encoder_runs_without_features(whole: Ensemble) -> None:
    class NoFeatures:
        def extract(self, texts: Sequence[str]) -> FeatureBatch:
            raise AssertionError("no encoder reads features")

    alone = replace(whole, features=NoFeatures())
    assert alone.scores("roberta", TEXTS).intent.shape == (3, len(whole.taxonomy.labels))


@pytest.mark.parametrize("model", ["ensemble", "distilbert"])
def test_scores_need_all_their_services(whole: Ensemble, model: str) -> None:
    """Scores cannot report skipped members."""
    distributed = spread(whole, "distilbert")
    assert not distributed.is_up(model)
    with pytest.raises(Overloaded):
        distributed.scores(model, TEXTS)


def test_a_model_is_up_while_its_own_process_is(whole: Ensemble) -> None:
    distributed = spread(whole, "distilbert")
    assert {model: distributed.is_up(model) for model in whole.models if model not in TREES_AND_LINEAR[1:]} == {
        "ensemble": False,
        "logistic_regression": True,
        "distilbert": False,
        "roberta": True,
    }
    assert all(whole.is_up(model) for model in whole.models)
